import { safeLine } from '../../net/shown-text.ts';
import { sharePrice, signedDollars, signedPercent } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { levels, resample } from '../../trading/sparkline.ts';
import type { Bar } from '../../trading/views.ts';

export interface ChartOptions {
  readonly symbol: string;
  /** As people write it: `3m`. */
  readonly range: string;
  /** Oldest first. */
  readonly bars: readonly Bar[];
  readonly columns: number;
  /** Rows of the drawing itself; the title and the dates come on top. */
  readonly rows: number;
  readonly unicode: boolean;
  readonly simulated: boolean;
  /** Read aloud: the figures alone, since dots say nothing. */
  readonly spoken?: boolean;
}

/** Below this the axis would take more room than the line. */
const SMALLEST_WIDTH = 8;

/** Closing prices as a line: in Braille dots (2 by 4 to a character), or in plain signs where there is no Unicode. */
export function chartText(options: ChartOptions): string {
  const { bars, columns, unicode } = options;
  const rows = Math.max(2, options.rows);
  const closes = bars.map(({ close }) => close);
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || closes.length < 2) {
    return `${safeLine(options.symbol)}: too few prices to draw.`;
  }
  const exact = closes.map((close) => new Dec(close));
  const high = Dec.max(...exact);
  const low = Dec.min(...exact);
  if (options.spoken) {
    const ends = [first, last].map(({ at, close }) => `${at.slice(0, 10)} at ${sharePrice(close)}`);
    return [...title(options, first, last, high, low), `from ${ends.join(' to ')}`].join('\n');
  }
  const labels = axisLabels(high, low, rows);
  const labelWidth = Math.max(...labels.map(({ length }) => length));
  const width = Math.max(SMALLEST_WIDTH, columns - labelWidth - 3);
  const lines = unicode ? braille(closes, width, rows) : plain(closes, width, rows);
  const axis = unicode ? '┤' : '|';
  return [
    ...title(options, first, last, high, low),
    ...lines.map((line, row) => `${(labels[row] ?? '').padStart(labelWidth)} ${axis}${line}`.trimEnd()),
    dates(first, last, options.bars, labelWidth + 2, Math.min(width, columns - labelWidth - 2)),
  ].join('\n');
}

function title(options: ChartOptions, first: Bar, last: Bar, high: Dec, low: Dec): string[] {
  const change = new Dec(last.close).minus(first.close);
  const fraction = change.div(first.close).toDecimalPlaces(8).toFixed();
  const facts = [
    `${safeLine(options.symbol)} ${options.range}  ${sharePrice(last.close)}`,
    `${signedDollars(change.toFixed(2))} (${signedPercent(fraction)})`,
    `high ${sharePrice(high.toFixed())}`,
    `low ${sharePrice(low.toFixed())}`,
    ...(options.simulated ? ['simulated'] : []),
  ];
  const whole = facts.join('  ');
  return whole.length <= options.columns
    ? [whole]
    : [facts.slice(0, 2).join('  '), facts.slice(2).join('  ')];
}

/** A price at the top, the middle and the bottom row; nothing at the others. */
function axisLabels(high: Dec, low: Dec, rows: number): string[] {
  const marked = new Set([0, Math.floor((rows - 1) / 2), rows - 1]);
  return Array.from({ length: rows }, (_, row) => {
    if (!marked.has(row)) return '';
    const at = high.minus(
      high
        .minus(low)
        .mul(row)
        .div(rows - 1),
    );
    return sharePrice(at.toFixed(at.abs().gte(1) ? 2 : 4));
  });
}

/** The dot's bit within a Braille character (U+2800), by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

function braille(closes: readonly string[], width: number, rows: number): string[] {
  const heights = levels(spread(closes, width * 2), rows * 4);
  const cells = Array.from({ length: rows }, () => new Uint8Array(width));
  heights.forEach((height, x) => {
    // From the dot before up or down to this one, so that the line has no gaps.
    const before = heights[x - 1] ?? height;
    const from = before === height ? height : before < height ? before + 1 : before - 1;
    for (let y = Math.min(from, height); y <= Math.max(from, height); y++) {
      const down = rows * 4 - 1 - y;
      const row = cells[Math.floor(down / 4)];
      const column = x >> 1;
      if (row !== undefined) row[column] = (row[column] ?? 0) | (DOTS[x % 2]?.[down % 4] ?? 0);
    }
  });
  return cells.map((row) =>
    Array.from(row, (bits) => (bits === 0 ? ' ' : String.fromCodePoint(0x2800 + bits))).join(''),
  );
}

/** One sign a column: `_`, `-` and `'` for the lower, middle and upper part of a row, `|` where the line climbs. */
function plain(closes: readonly string[], width: number, rows: number): string[] {
  const parts = ['_', '-', "'"];
  const heights = levels(spread(closes, width), rows * parts.length);
  const rowOf = (height: number) => rows - 1 - Math.floor(height / parts.length);
  return Array.from({ length: rows }, (_, row) =>
    heights
      .map((height, x) => {
        if (rowOf(height) === row) return parts[height % parts.length];
        const here = rowOf(height);
        const before = rowOf(heights[x - 1] ?? height);
        return row > Math.min(here, before) && row < Math.max(here, before) ? '|' : ' ';
      })
      .join(''),
  );
}

/** Just so many values: fewer of many, or few drawn out to steps. */
function spread<T>(values: readonly T[], count: number): T[] {
  if (values.length >= count) return resample(values, count);
  return Array.from(
    { length: count },
    (_, index) => values[Math.round((index * (values.length - 1)) / (count - 1))] as T,
  );
}

function dates(first: Bar, last: Bar, bars: readonly Bar[], indent: number, width: number): string {
  // Hours matter only where the bars are hours.
  const hourly = bars.length > 1 && Date.parse(last.at) - Date.parse(first.at) < bars.length * 7_200_000;
  const written = (at: string) => (hourly ? at.slice(5, 16).replace('T', ' ') : at.slice(0, 10));
  const narrow = written(first.at).length + written(last.at).length >= width;
  const [from, to] = [first.at, last.at].map((at) => (narrow ? at.slice(5, 10) : written(at))) as [
    string,
    string,
  ];
  return `${' '.repeat(indent)}${from}${' '.repeat(Math.max(1, width - from.length - to.length))}${to}`;
}
