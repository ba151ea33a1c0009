import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { portfolioTable } from '../../../../src/cli/text/portfolio-table.ts';
import { createPaint } from '../../../../src/cli/text/theme.ts';
import { buildPortfolioView } from '../../../../src/trading/portfolio/portfolio-view.ts';
import type { Account, Position } from '../../../../src/trading/views.ts';

const account: Account = {
  account: 'PA3ALICE01',
  environment: 'paper',
  status: 'ACTIVE',
  currency: 'USD',
  cash: '90000.10',
  equity: '100000.10',
  last_equity: '99000.00',
  buying_power: '90000.10',
  long_market_value: '10000.00',
  trading_blocked: false,
  simulated: true,
};
const position = (symbol: string, value: string): Position => ({
  symbol,
  side: 'long',
  qty: '40',
  qty_available: '40',
  avg_entry_price: '200.00',
  current_price: '201.10',
  lastday_price: '201.00',
  market_value: value,
  cost_basis: '8000.00',
  unrealized_pl: '44.00',
  unrealized_plpc: '0.0055',
  change_today: '0.0005',
});
const loss = { ...position('KO', '2000.00'), unrealized_pl: '-12.00' };
const figures = buildPortfolioView(account, [loss, position('AAPL', '8000.00')], {
  closes: new Map([['AAPL', ['1', '2', '3']]]),
  equity: ['1', '2'],
});

describe('the portfolio as a table', () => {
  it('has value, day and total profit, weights and a line for the month, the largest first', async () => {
    expect(await portfolioTable(figures, { columns: 120, unicode: true })).toMatchInlineSnapshot(`
      "account       PA3ALICE01 PAPER (simulated)
      value         $100,000.10  +$1,000.10 (+1.01%) today  ▁█
      cash          $90,000.10 (90.0%)
      buying power  $90,000.10

      SYMBOL  QTY    PRICE       VALUE  WEIGHT           TODAY  TODAY %      P/L   P/L %  MONTH
      AAPL     40  $201.10   $8,000.00    8.0%  ██████  +$4.00   +0.05%  +$44.00  +0.55%  ▁▅█
      KO       40  $201.10   $2,000.00    2.0%  █▌      +$4.00   +0.05%  -$12.00  -0.15%
      TOTAL                 $10,000.00   10.0%          +$8.00   +0.05%  +$32.00  +0.20%"
    `);
  });

  it.each([120, 100, 80, 60, 40])('leaves columns out rather than wrap at %i columns', async (columns) => {
    const text = await portfolioTable(figures, { columns, unicode: true });
    for (const line of text.split('\n').slice(5)) expect(stringWidth(line)).toBeLessThanOrEqual(columns);
    expect(text).toMatch(/AAPL +.*\$8,000\.00/);
  });

  it('keeps the little line at 80 columns and drops percentages first', async () => {
    const text = await portfolioTable(figures, { columns: 72, unicode: false });
    expect(text).toContain('MONTH');
    expect(text).not.toContain('TODAY %');
    expect(text).toMatch(/^[\x00-\x7f]+$/);
  });

  it('at 80 columns has price, day and gain, and a line for the month', async () => {
    expect(await portfolioTable(figures, { columns: 80, unicode: true })).toMatchInlineSnapshot(`
      "account       PA3ALICE01 PAPER (simulated)
      value         $100,000.10  +$1,000.10 (+1.01%) today  ▁█
      cash          $90,000.10 (90.0%)
      buying power  $90,000.10

      SYMBOL  QTY    PRICE       VALUE  WEIGHT           TODAY      P/L   P/L %  MONTH
      AAPL     40  $201.10   $8,000.00    8.0%  ██████  +$4.00  +$44.00  +0.55%  ▁▅█
      KO       40  $201.10   $2,000.00    2.0%  █▌      +$4.00  -$12.00  -0.15%
      TOTAL                 $10,000.00   10.0%          +$8.00  +$32.00  +0.20%"
    `);
  });

  it.each(['dark', 'light', 'color-blind', 'none'] as const)('in the theme %s keeps words and signs', async (theme) => {
    const plain = await portfolioTable(figures, { columns: 100, unicode: true });
    const painted = await portfolioTable(figures, {
      columns: 100,
      unicode: true,
      paint: createPaint(theme, true),
    });
    expect(stripVTControlCharacters(painted)).toBe(plain);
    expect(painted === plain).toBe(theme === 'none');
    // A gain and a loss are told by another color each.
    const codes = ['+$44.00', '-$12.00'].map((amount) => /\u001b\[(\d+)m$/.exec(painted.split(amount)[0] ?? '')?.[1]);
    expect(new Set(codes).size).toBe(theme === 'none' ? 1 : 2);
  });

  it('is never coloured where the stream takes no colors', async () => {
    const paint = createPaint('dark', false);
    expect(await portfolioTable(figures, { columns: 100, unicode: true, paint })).not.toContain('\u001b');
  });

  it('read aloud draws nothing', async () => {
    const text = await portfolioTable(figures, { columns: 120, unicode: true, spoken: true });
    expect(text).not.toMatch(/[▁-█]/);
  });

  it('says so where there are no positions, or the broker blocks trading', async () => {
    const text = await portfolioTable(buildPortfolioView({ ...account, trading_blocked: true }, []), {
      columns: 80,
      unicode: true,
    });
    expect(text).toContain('No positions.');
    expect(text).toContain('BLOCKED');
  });
});

it('says that the day’s change is not known, instead of none', async () => {
  const view = buildPortfolioView({ ...account, last_equity: null }, []);
  expect(view).toMatchObject({ day_change: null, day_change_fraction: null });
  const text = await portfolioTable(view, { columns: 100, unicode: true });
  expect(text).toContain('value         $100,000.10  today’s change unknown');
});
