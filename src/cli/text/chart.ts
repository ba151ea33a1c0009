import stringWidth from 'string-width';
import { safeLine } from '../../text/shown-text.ts';
import { sharePrice, shares, signedDollars, signedPercent } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import type { Bar } from '../../trading/views.ts';
import {
  Canvas,
  candleSigns,
  drawBraille,
  drawCandles,
  drawPlain,
  drawVolume,
  levelOf,
  type Scale,
  type Slots,
  slotsOf,
} from './chart-canvas.ts';
import { type Paint, plainPaint, signed } from './theme.ts';

interface ChartTrade {
  readonly at: string;
  readonly side: 'buy' | 'sell';
  readonly qty: string;
  /** Dollars a share. */
  readonly price: string;
}

interface ChartOptions {
  readonly symbol: string;
  readonly range: string;
  readonly bars: readonly Bar[];
  readonly columns: number;
  /** Rows of the drawing including volume; title, dates and legend come on top. */
  readonly rows: number;
  readonly unicode: boolean;
  readonly simulated: boolean;
  readonly candles?: boolean;
  readonly volume?: boolean;
  readonly trades?: readonly ChartTrade[];
  /** The average cost of the shares held, dollars a share. */
  readonly cost?: string | undefined;
  readonly paint?: Paint;
  readonly spoken?: boolean;
}

/** Below this the axis would take more room than the line. */
const SMALLEST_WIDTH = 8;
const VOLUME_ROWS = 3;

/**
 * Prices over time: a line in Braille dots or candles, ASCII without Unicode, with the volume below. Marks the person's
 * own trades and the cost of their shares.
 */
export function chartText(options: ChartOptions): string {
  const { bars, columns, unicode, volume = false, paint = plainPaint } = options;
  const closes = bars.map(({ close }) => close);
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || closes.length < 2) {
    return `${safeLine(options.symbol)}: too few prices to draw.`;
  }
  const high = Dec.max(...(options.candles ? bars.map((bar) => bar.high) : closes));
  const low = Dec.min(...(options.candles ? bars.map((bar) => bar.low) : closes));
  if (options.spoken) {
    const ends = [first, last].map(({ at, close }) => `${at.slice(0, 10)} at ${sharePrice(close)}`);
    return [
      ...title(options, first, last, high, low),
      `from ${ends.join(' to ')}`,
      ...legend(options, { low, high }).map(({ text }) => text),
    ].join('\n');
  }
  const rows = Math.max(2, options.rows - (volume ? VOLUME_ROWS : 0));
  const scale = withCost({ low, high }, options.cost);
  const labels = axisLabels(scale.high, scale.low, rows);
  const most = volume ? volumeText(bars) : '';
  const labelWidth = Math.max(most.length, ...labels.map(({ length }) => length));
  const width = Math.max(SMALLEST_WIDTH, columns - labelWidth - 3);
  const slots = slotsOf(bars, width);
  const axis = unicode ? '┤' : '|';
  const rowText = (label: string, line: string) => `${label.padStart(labelWidth)} ${axis}${line}`.trimEnd();
  const prices = drawn(options, slots, scale, width, rows).lines(paint);
  const volumes = volume ? volumeLines(slots, width, unicode, paint) : [];
  const used = usedColumns(options, slots, width);
  return [
    ...title(options, first, last, high, low),
    ...prices.map((line, row) => rowText(labels[row] ?? '', line)),
    ...volumes.map((line, row) => rowText(row === 0 ? most : '', line)),
    dates(first, last, options.bars, labelWidth + 2, Math.min(used, columns - labelWidth - 2)),
    ...legendLines(options, paint, scale, slots),
  ].join('\n');
}

function drawn(options: ChartOptions, slots: Slots, scale: Scale, width: number, rows: number): Canvas {
  const { bars, unicode, trades = [], cost } = options;
  const canvas = new Canvas(width, rows);
  const closes = bars.map(({ close }) => close);
  const columns = usedColumns(options, slots, width);
  if (options.candles) drawCandles(canvas, slots, scale, unicode);
  else {
    const line = new Canvas(columns, rows);
    (unicode ? drawBraille : drawPlain)(line, closes, scale);
    line.copyTo(canvas);
  }
  const rowOf = (price: string) => rows - 1 - levelOf(price, scale, rows);
  const times = bars.map(({ at }) => Date.parse(at));
  for (const { at, side, price } of trades) {
    const index = times.findLastIndex((time) => time <= Date.parse(at));
    if (index < 0) continue;
    canvas.put(columnAt(index, options, slots, columns), rowOf(price), tradeSign(side, unicode), 'strong');
  }
  if (cost !== undefined && isWithin(cost, scale)) {
    for (let x = 0; x < columns; x++) canvas.under(x, rowOf(cost), unicode ? '┄' : '.', 'warn');
  }
  return canvas;
}

/** A line above volume keeps to the columns of its bars. */
function usedColumns({ candles, volume }: ChartOptions, slots: Slots, width: number): number {
  return candles || volume ? Math.min(width, slots.bars.length * slots.stride) : width;
}

function columnAt(index: number, { bars, candles }: ChartOptions, slots: Slots, columns: number): number {
  if (!candles) return Math.round((index / Math.max(1, bars.length - 1)) * (columns - 1));
  return slots.middle(Math.min(slots.bars.length - 1, Math.floor((index * slots.bars.length) / bars.length)));
}

function volumeLines(slots: Slots, width: number, unicode: boolean, paint: Paint): string[] {
  const canvas = new Canvas(width, VOLUME_ROWS);
  drawVolume(canvas, slots, unicode);
  return canvas.lines(paint);
}

function volumeText(bars: readonly Bar[]): string {
  const most = Dec.max(...bars.map(({ volume }) => volume));
  const [size, unit] = most.gte(1e9)
    ? [1e9, 'B']
    : most.gte(1e6)
      ? [1e6, 'M']
      : most.gte(1e3)
        ? [1e3, 'K']
        : [1, ''];
  return `vol ${most.div(size).toDecimalPlaces(1).toFixed()}${unit}`;
}

function tradeSign(side: 'buy' | 'sell', unicode: boolean): string {
  if (unicode) return side === 'buy' ? '▲' : '▼';
  return side === 'buy' ? 'B' : 'S';
}

/** A cost nearby widens the scale; one far off would flatten the line. */
function withCost({ low, high }: Scale, cost: string | undefined): Scale {
  if (cost === undefined) return { low, high };
  const exact = new Dec(cost);
  const reach = Dec.max(high.minus(low).div(2), high.mul('0.02'));
  if (exact.lt(low.minus(reach)) || exact.gt(high.plus(reach))) return { low, high };
  return { low: Dec.min(low, exact), high: Dec.max(high, exact) };
}

const isWithin = (price: string, { low, high }: Scale) => new Dec(price).gte(low) && new Dec(price).lte(high);

interface LegendPart {
  readonly sign: string;
  readonly text: string;
}

function legend({ trades = [], cost, unicode }: ChartOptions, scale: Scale): LegendPart[] {
  const parts: LegendPart[] = [];
  for (const side of ['buy', 'sell'] as const) {
    const own = trades.filter((trade) => trade.side === side);
    if (own.length === 0) continue;
    const qty = own.reduce((sum, trade) => sum.plus(trade.qty), new Dec(0)).toFixed();
    parts.push({
      sign: tradeSign(side, unicode),
      text: `${side === 'buy' ? 'bought' : 'sold'} ${shares(qty)}`,
    });
  }
  if (cost !== undefined) {
    const where = isWithin(cost, scale) ? '' : new Dec(cost).lt(scale.low) ? ' (below)' : ' (above)';
    parts.push({ sign: unicode ? '┄' : '.', text: `your cost ${sharePrice(cost)}${where}` });
  }
  return parts;
}

function legendLines(options: ChartOptions, paint: Paint, scale: Scale, slots: Slots): string[] {
  const parts = legend(options, scale).map(({ sign, text }) => `${sign} ${text}`);
  if (options.candles) {
    const [rose, fell] = candleSigns(slots, options.unicode);
    parts.push(`${rose} rose  ${fell} fell`);
  }
  const lines: string[] = [];
  for (const part of parts) {
    const line = lines.at(-1);
    if (line !== undefined && stringWidth(line) + 2 + stringWidth(part) <= options.columns) {
      lines[lines.length - 1] = `${line}  ${part}`;
    } else lines.push(part);
  }
  return lines.map((line) => paint('muted', line));
}

function title(options: ChartOptions, first: Bar, last: Bar, high: Dec, low: Dec): string[] {
  const change = new Dec(last.close).minus(first.close);
  const fraction = change.div(first.close).toDecimalPlaces(8).toFixed();
  const facts = [
    `${safeLine(options.symbol)} ${options.range}  ${sharePrice(last.close)}`,
    signed(options.paint ?? plainPaint, `${signedDollars(change.toFixed(2))} (${signedPercent(fraction)})`),
    `high ${sharePrice(high.toFixed())}`,
    `low ${sharePrice(low.toFixed())}`,
    ...(options.simulated ? ['simulated'] : []),
  ];
  const whole = facts.join('  ');
  return stringWidth(whole) <= options.columns
    ? [whole]
    : [facts.slice(0, 2).join('  '), facts.slice(2).join('  ')];
}

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

function dates(first: Bar, last: Bar, bars: readonly Bar[], indent: number, width: number): string {
  // Hours matter only for hourly bars.
  const hourly = bars.length > 1 && Date.parse(last.at) - Date.parse(first.at) < bars.length * 7_200_000;
  const written = (at: string) => (hourly ? at.slice(5, 16).replace('T', ' ') : at.slice(0, 10));
  const narrow = written(first.at).length + written(last.at).length >= width;
  const [from, to] = [first.at, last.at].map((at) => (narrow ? at.slice(5, 10) : written(at))) as [
    string,
    string,
  ];
  return `${' '.repeat(indent)}${from}${' '.repeat(Math.max(1, width - from.length - to.length))}${to}`;
}
