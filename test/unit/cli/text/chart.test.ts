import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { chartText } from '../../../../src/cli/text/chart.ts';
import { sparkline } from '../../../../src/trading/sparkline.ts';
import type { Bar } from '../../../../src/trading/views.ts';

const bar = (day: number, close: string): Bar => ({
  at: new Date(Date.UTC(2026, 0, 1 + day)).toISOString(),
  open: close,
  high: close,
  low: close,
  close,
  volume: '100',
});
const rising = Array.from({ length: 40 }, (_, day) => bar(day, `${100 + day}.00`));
const chart = (bars: readonly Bar[], unicode: boolean, columns = 40) =>
  chartText({ symbol: 'AAPL', range: '3m', bars, columns, rows: 5, unicode, simulated: true });

describe('a chart', () => {
  it('says what it draws in exact figures, and between which prices and days', () => {
    const text = chart(rising, true, 80);
    expect(text.split('\n')[0]).toBe('AAPL 3m  $139.00  +$39.00 (+39.00%)  high $139.00  low $100.00  simulated');
    expect(text).toMatch(/\$139\.00 ┤.*\n.*\n *\$119\.50 ┤.*\n.*\n *\$100\.00 ┤/);
    expect(text.split('\n').at(-1)).toMatch(/^ +2026-01-01 +2026-02-09$/);
  });

  it.each([
    [true, 40],
    [false, 40],
    [true, 24],
    [false, 120],
  ])('never grows wider than the terminal (Unicode %s, %i columns)', (unicode, columns) => {
    const widths = chart(rising, unicode, columns).split('\n');
    // The title's exact figures come before a narrow terminal's last columns.
    for (const line of widths.slice(2)) expect(line.length).toBeLessThanOrEqual(columns);
  });

  it('draws a line without gaps from the lower left to the upper right', () => {
    const rows = chart(rising, true).split('\n').slice(2, 7);
    const drawn = rows.map((row) => row.slice(row.indexOf('┤') + 1));
    const columns = Math.max(...drawn.map((row) => row.length));
    for (let x = 0; x < columns; x++) {
      expect(drawn.some((row) => (row[x] ?? ' ') !== ' ')).toBe(true);
    }
    expect(drawn.at(-1)?.[0]).not.toBe(' ');
    expect(drawn[0]?.at(-1)).not.toBe(' ');
  });

  it('is told in figures where it is read aloud', () => {
    const options = { symbol: 'AAPL', range: '3m', bars: rising, columns: 80, rows: 5, unicode: true };
    expect(chartText({ ...options, simulated: true, spoken: true }).split('\n')).toEqual([
      'AAPL 3m  $139.00  +$39.00 (+39.00%)  high $139.00  low $100.00  simulated',
      'from 2026-01-01 at $100.00 to 2026-02-09 at $139.00',
    ]);
  });

  it('uses ASCII alone where there is no Unicode', () => {
    expect(chart(rising, false)).toMatch(/^[\x00-\x7f]+$/);
  });

  it('draws a price that never moved, and says when there is too little to draw', () => {
    expect(chart([bar(0, '5.00'), bar(1, '5.00')], true)).toContain('+0.00%'.slice(1));
    expect(chart([bar(0, '5.00')], true)).toBe('AAPL: not enough prices for a chart.');
  });
});

const candle = (day: number, open: string, close: string): Bar => ({
  ...bar(day, close),
  open,
  high: String(Math.max(Number(open), Number(close)) + 1),
  low: String(Math.min(Number(open), Number(close)) - 1),
  volume: String(1_000_000 * (day + 1)),
});
const swinging = Array.from({ length: 12 }, (_, day) => candle(day, '100', day % 2 === 0 ? '104' : '97'));
const trades = [
  { at: swinging[2]?.at ?? '', side: 'buy', qty: '5', price: '100' },
  { at: swinging[9]?.at ?? '', side: 'sell', qty: '2', price: '103' },
] as const;

describe('candles', () => {
  const options = {
    ...{ symbol: 'AAPL', range: '3m', bars: swinging, columns: 60, rows: 12, unicode: true, simulated: true },
    ...{ candles: true, volume: true, trades, cost: '101.5' },
  };

  it('have volume, own trades and the cost line', () => {
    expect(chartText(options)).toMatchInlineSnapshot(`
      "AAPL 3m  $97.00  -$7.00 (-6.73%)
      high $105.00  low $96.00  simulated
      $105.00 ┤ │       │       │       │       │       │
              ┤░░░     ░░░     ░░░     ░░░     ░░░     ░░░
              ┤░░░     ░░░     ░░░     ░░░     ░░░  ▼  ░░░
              ┤░░░┄┄┄┄┄░░░┄┄┄┄┄░░░┄┄┄┄┄░░░┄┄┄┄┄░░░┄┄┄┄┄░░░┄┄┄┄┄
      $100.50 ┤░░░ ▄█▄ ░▲░ ▄█▄ ░░░ ▄█▄ ░░░ ▄█▄ ░░░ ▄█▄ ░░░ ▄█▄
              ┤ │  ███  │  ███  │  ███  │  ███  │  ███  │  ███
              ┤    ███     ███     ███     ███     ███     ███
              ┤    ███     ███     ███     ███     ███     ███
       $96.00 ┤     │       │       │       │       │       │
      vol 12M ┤                                ▂▂▂ ▄▄▄ ▆▆▆ ███
              ┤                ▂▂▂ ▄▄▄ ▆▆▆ ███ ███ ███ ███ ███
              ┤▂▂▂ ▄▄▄ ▆▆▆ ███ ███ ███ ███ ███ ███ ███ ███ ███
               2026-01-01                            2026-01-12
      ▲ bought 5  ▼ sold 2  ┄ your cost $101.50  ░ rose  █ fell"
    `);
  });

  it('tell rise from fall without color, and are drawn in ASCII where there is no Unicode', () => {
    const text = chartText({ ...options, unicode: false });
    expect(text).toMatch(/^[\x00-\x7f]+$/);
    expect(text).toContain('+ rose  # fell');
    expect(text).toMatch(/[BS]/);
  });

  it.each([40, 80, 100, 200])('keep to %i columns, many bars as few', (columns) => {
    const bars = Array.from({ length: 400 }, (_, day) => candle(day, '100', day % 3 === 0 ? '104' : '97'));
    for (const line of chartText({ ...options, bars, columns })
      .split('\n')
      .slice(2)) {
      expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    }
  });

  it('are as wide as the terminal lets them', () => {
    const drawn = chartText({ ...options, columns: 200 }).split('\n');
    expect(Math.max(...drawn.map((line) => stringWidth(line)))).toBeGreaterThan(180);
  });

  it('say where a cost lies that is far off, instead of flattening the rest', () => {
    expect(chartText({ ...options, cost: '20' })).toContain('your cost $20.00 (below)');
  });
});

describe('a little line', () => {
  it('goes from the lowest to the highest', () => {
    expect(sparkline(['1', '2', '3'], 3, true)).toBe('▁▅█');
    expect(sparkline(['3', '1'], 2, false)).toBe('#_');
  });

  it('keeps first and last of many values, and draws nothing of one', () => {
    const many = Array.from({ length: 100 }, (_, index) => String(index));
    expect(sparkline(many, 10, true)).toMatch(/^▁.{8}█$/);
    expect(sparkline(['1'], 10, true)).toBe('');
    expect(sparkline([], 10, true)).toBe('');
  });
});
