import stringWidth from 'string-width';
import { safeLine } from '../../text/sanitize.ts';
import { formatSharePrice, formatShares, formatSignedDollars, formatSignedPercent } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import type { Bar } from '../../trading/views.ts';
import { type Paint, paintSignedAmount, plainPaint, type TextRole } from './theme.ts';

interface ChartTrade {
  readonly at: string;
  readonly side: 'buy' | 'sell';
  readonly qty: string;
  /** The price, in dollars per share. */
  readonly price: string;
}

interface ChartOptions {
  readonly symbol: string;
  readonly range: string;
  readonly bars: readonly Bar[];
  readonly columns: number;
  /** Number of rows for the chart and its volume, excluding title, dates and legend. */
  readonly rows: number;
  readonly unicode: boolean;
  readonly simulated: boolean;
  readonly candles?: boolean;
  readonly volume?: boolean;
  readonly trades?: readonly ChartTrade[];
  /** Average cost of the position, in dollars per share. */
  readonly cost?: string | undefined;
  readonly paint?: Paint;
  readonly spoken?: boolean;
}

/** Minimum width. In a narrower chart, the axis would take more space than the line. */
const MIN_CHART_WIDTH = 8;
const VOLUME_ROWS = 3;

/** Draws a line of Braille dots or candles (or ASCII characters), with the person's own trades and average cost. */
export function chartText(options: ChartOptions): string {
  const { bars, columns, unicode, volume = false, paint = plainPaint } = options;
  const closes = bars.map(({ close }) => close);
  const [first] = bars;
  const last = bars.at(-1);
  if (first === undefined || last === undefined || closes.length < 2) {
    return `${safeLine(options.symbol)}: not enough prices for a chart.`;
  }
  const high = Dec.max(...(options.candles ? bars.map((bar) => bar.high) : closes));
  const low = Dec.min(...(options.candles ? bars.map((bar) => bar.low) : closes));
  if (options.spoken) {
    const ends = [first, last].map(({ at, close }) => `${at.slice(0, 10)} at ${formatSharePrice(close)}`);
    return [
      ...titleLines(options, first, last, high, low),
      `from ${ends.join(' to ')}`,
      ...legend(options, { low, high }).map(({ text }) => text),
    ].join('\n');
  }
  const rows = Math.max(2, options.rows - (volume ? VOLUME_ROWS : 0));
  const scale = includeCost({ low, high }, options.cost);
  const labels = axisLabels(scale.high, scale.low, rows);
  const most = volume ? volumeText(bars) : '';
  const labelWidth = Math.max(most.length, ...labels.map(({ length }) => length));
  const width = Math.max(MIN_CHART_WIDTH, columns - labelWidth - 3);
  const slots = toSlots(bars, width);
  const axis = unicode ? '┤' : '|';
  const rowText = (label: string, line: string) => `${label.padStart(labelWidth)} ${axis}${line}`.trimEnd();
  const prices = drawPrices(options, slots, scale, width, rows).lines(paint);
  const volumes = volume ? volumeLines(slots, width, unicode, paint) : [];
  const used = usedColumns(options, slots, width);
  return [
    ...titleLines(options, first, last, high, low),
    ...prices.map((line, row) => rowText(labels[row] ?? '', line)),
    ...volumes.map((line, row) => rowText(row === 0 ? most : '', line)),
    dateLine(first, last, options.bars, labelWidth + 2, Math.min(used, columns - labelWidth - 2)),
    ...legendLines(options, paint, scale, slots),
  ].join('\n');
}

function drawPrices(options: ChartOptions, slots: Slots, scale: Scale, width: number, rows: number): Canvas {
  const { bars, unicode, trades = [], cost } = options;
  const canvas = new Canvas(width, rows);
  const closes = bars.map(({ close }) => close);
  const columns = usedColumns(options, slots, width);
  if (options.candles) drawCandles(canvas, slots, scale, unicode);
  else {
    const line = new Canvas(columns, rows);
    (unicode ? drawBraille : drawAscii)(line, closes, scale);
    line.copyTo(canvas);
  }
  const rowOf = (price: string) => rows - 1 - toLevel(price, scale, rows);
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

/** Returns the plot's width: the columns of the bars if there are candles or volume, otherwise the full width. */
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
  const [size, unit] = most.gte(1e9) ? [1e9, 'B'] : most.gte(1e6) ? [1e6, 'M'] : most.gte(1e3) ? [1e3, 'K'] : [1, ''];
  return `vol ${most.div(size).toDecimalPlaces(1).toFixed()}${unit}`;
}

function tradeSign(side: 'buy' | 'sell', unicode: boolean): string {
  if (unicode) return side === 'buy' ? '▲' : '▼';
  return side === 'buy' ? 'B' : 'S';
}

/** Widens the scale to include the cost if it is near the prices. A distant cost would flatten the line. */
function includeCost({ low, high }: Scale, cost: string | undefined): Scale {
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
      text: `${side === 'buy' ? 'bought' : 'sold'} ${formatShares(qty)}`,
    });
  }
  if (cost !== undefined) {
    const where = isWithin(cost, scale) ? '' : new Dec(cost).lt(scale.low) ? ' (below)' : ' (above)';
    parts.push({ sign: unicode ? '┄' : '.', text: `your cost ${formatSharePrice(cost)}${where}` });
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

function titleLines(options: ChartOptions, first: Bar, last: Bar, high: Dec, low: Dec): string[] {
  const change = new Dec(last.close).minus(first.close);
  const fraction = change.div(first.close).toDecimalPlaces(8).toFixed();
  const facts = [
    `${safeLine(options.symbol)} ${options.range}  ${formatSharePrice(last.close)}`,
    paintSignedAmount(
      options.paint ?? plainPaint,
      `${formatSignedDollars(change.toFixed(2))} (${formatSignedPercent(fraction)})`,
    ),
    `high ${formatSharePrice(high.toFixed())}`,
    `low ${formatSharePrice(low.toFixed())}`,
    ...(options.simulated ? ['simulated'] : []),
  ];
  const whole = facts.join('  ');
  return stringWidth(whole) <= options.columns ? [whole] : [facts.slice(0, 2).join('  '), facts.slice(2).join('  ')];
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
    return formatSharePrice(at.toFixed(at.abs().gte(1) ? 2 : 4));
  });
}

function dateLine(first: Bar, last: Bar, bars: readonly Bar[], indent: number, width: number): string {
  // Includes the time of day only if the bars are hourly.
  const hourly = bars.length > 1 && Date.parse(last.at) - Date.parse(first.at) < bars.length * 7_200_000;
  const written = (at: string) => (hourly ? at.slice(5, 16).replace('T', ' ') : at.slice(0, 10));
  const narrow = written(first.at).length + written(last.at).length >= width;
  const [from, to] = [first.at, last.at].map((at) => (narrow ? at.slice(5, 10) : written(at))) as [string, string];
  return `${' '.repeat(indent)}${from}${' '.repeat(Math.max(1, width - from.length - to.length))}${to}`;
}

interface Cell {
  readonly sign: string;
  readonly role: TextRole | undefined;
}

interface Scale {
  readonly low: Dec;
  readonly high: Dec;
}

function toLevel(price: Dec | string, { low, high }: Scale, steps: number): number {
  const span = high.minus(low);
  if (span.isZero()) return Math.floor((steps - 1) / 2);
  const level = new Dec(price)
    .minus(low)
    .div(span)
    .mul(steps - 1)
    .round()
    .toNumber();
  return Math.max(0, Math.min(steps - 1, level));
}

class Canvas {
  readonly width: number;
  readonly rows: number;
  readonly #cells: (Cell | undefined)[][];

  constructor(width: number, rows: number) {
    this.width = width;
    this.rows = rows;
    this.#cells = Array.from({ length: rows }, () => new Array<Cell | undefined>(width).fill(undefined));
  }

  put(x: number, row: number, sign: string, role?: TextRole): void {
    const line = this.#cells[row];
    if (line !== undefined && x >= 0 && x < this.width) line[x] = { sign, role };
  }

  under(x: number, row: number, sign: string, role?: TextRole): void {
    if (this.#cells[row]?.[x] === undefined) this.put(x, row, sign, role);
  }

  copyTo(other: Canvas): void {
    this.#cells.forEach((row, y) => {
      row.forEach((cell, x) => {
        if (cell !== undefined) other.put(x, y, cell.sign, cell.role);
      });
    });
  }

  /** Renders the rows. Neighboring cells with the same color role are painted together. */
  lines(paint: Paint): string[] {
    return this.#cells.map((row) => {
      let text = '';
      let run = '';
      let role: TextRole | undefined;
      const end = () => {
        text += role === undefined ? run : paint(role, run);
        run = '';
      };
      const last = row.findLastIndex((cell) => cell !== undefined && cell.sign !== ' ');
      for (const cell of row.slice(0, last + 1)) {
        if (cell?.role !== role) {
          end();
          role = cell?.role;
        }
        run += cell?.sign ?? ' ';
      }
      end();
      return text;
    });
  }
}

/** Bits of the dots in a Braille character (U+2800), by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

function drawBraille(canvas: Canvas, closes: readonly string[], scale: Scale): void {
  const { width, rows } = canvas;
  const heights = resample(closes, width * 2).map((close) => toLevel(close, scale, rows * 4));
  const cells = Array.from({ length: rows }, () => new Uint8Array(width));
  heights.forEach((height, x) => {
    // Fill from the previous dot to this one, so that the line has no gaps.
    const before = heights[x - 1] ?? height;
    const from = before === height ? height : before < height ? before + 1 : before - 1;
    for (let y = Math.min(from, height); y <= Math.max(from, height); y++) {
      const down = rows * 4 - 1 - y;
      const row = cells[Math.floor(down / 4)];
      const column = x >> 1;
      if (row !== undefined) row[column] = (row[column] ?? 0) | (DOTS[x % 2]?.[down % 4] ?? 0);
    }
  });
  cells.forEach((row, y) => {
    row.forEach((bits, x) => {
      if (bits !== 0) canvas.put(x, y, String.fromCodePoint(0x2800 + bits), 'accent');
    });
  });
}

/** One character per column: `_`, `-` and `'` for the lower, middle and upper part of a row, `|` for steep parts. */
function drawAscii(canvas: Canvas, closes: readonly string[], scale: Scale): void {
  const { width, rows } = canvas;
  const parts = ['_', '-', "'"];
  const heights = resample(closes, width).map((close) => toLevel(close, scale, rows * parts.length));
  const rowOf = (height: number) => rows - 1 - Math.floor(height / parts.length);
  heights.forEach((height, x) => {
    const here = rowOf(height);
    const before = rowOf(heights[x - 1] ?? height);
    for (let row = Math.min(here, before) + 1; row < Math.max(here, before); row++) {
      canvas.put(x, row, '|', 'accent');
    }
    canvas.put(x, here, parts[height % parts.length] ?? '-', 'accent');
  });
}

/** Bars spread over the full width. If there are more bars than columns, some bars are merged. */
interface Slots {
  readonly bars: readonly Bar[];
  /** Columns per bar, including the gap after it. */
  readonly stride: number;
  middle(index: number): number;
}

function toSlots(bars: readonly Bar[], width: number): Slots {
  const grouped = bars.length > width ? mergeBars(bars, width) : bars;
  const stride = Math.max(1, Math.floor(width / Math.max(1, grouped.length)));
  return { bars: grouped, stride, middle: (index) => index * stride + Math.floor((stride - 1) / 2) };
}

function mergeBars(bars: readonly Bar[], count: number): Bar[] {
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor((index * bars.length) / count);
    const part = bars.slice(from, Math.max(from + 1, Math.floor(((index + 1) * bars.length) / count)));
    const [first] = part;
    const last = part.at(-1);
    if (first === undefined || last === undefined) throw new RangeError('fewer bars than groups');
    return {
      at: first.at,
      open: first.open,
      high: Dec.max(...part.map(({ high }) => high)).toFixed(),
      low: Dec.min(...part.map(({ low }) => low)).toFixed(),
      close: last.close,
      volume: part.reduce((sum, { volume }) => sum.plus(volume), new Dec(0)).toFixed(),
    };
  });
}

/** Content of half a character of a candle: nothing, the wick, or the body. */
type Half = 0 | 1 | 2;
/**
 * Characters of a candle, by the content of their lower and upper half. Rising bars are hollow or slim, so that they
 * differ from falling bars even without color.
 */
const SLIM = [' ╵╹', '╷│╿', '╻╽┃'];
const FILLED = [' ╵▀', '╷│█', '▄██'];
const HOLLOW = [' ╵░', '╷│░', '░░░'];
const PLAIN_ROSE = [' |+', '||+', '+++'];
const PLAIN_FELL = [' |#', '||#', '###'];

function drawCandles(canvas: Canvas, slots: Slots, scale: Scale, unicode: boolean): void {
  slots.bars.forEach((bar, index) => {
    const rose = new Dec(bar.close).gte(bar.open);
    const half = candleHalves(bar, scale, canvas.rows * 2);
    const columns = slotColumns(slots, index);
    const signs = candleCharacters(rose, columns.length > 1, unicode);
    for (const x of columns) {
      const wick = x === slots.middle(index);
      for (let row = 0; row < canvas.rows; row++) {
        const lower = (canvas.rows - 1 - row) * 2;
        const sign = signs[half(lower, wick)]?.[half(lower + 1, wick)] ?? ' ';
        if (sign !== ' ') canvas.put(x, row, sign, rose ? 'gain' : 'loss');
      }
    }
  });
}

function candleHalves(bar: Bar, scale: Scale, steps: number): (level: number, wick: boolean) => Half {
  const [low, high] = [toLevel(bar.low, scale, steps), toLevel(bar.high, scale, steps)];
  const ends = [toLevel(bar.open, scale, steps), toLevel(bar.close, scale, steps)];
  const [bottom, top] = [Math.min(...ends), Math.max(...ends)];
  return (level, wick) => {
    if (level >= bottom && level <= top) return 2;
    return wick && level >= low && level <= high ? 1 : 0;
  };
}

function candleCharacters(rose: boolean, wide: boolean, unicode: boolean): readonly string[] {
  if (!unicode) return rose ? PLAIN_ROSE : PLAIN_FELL;
  if (!rose) return FILLED;
  return wide ? HOLLOW : SLIM;
}

/** Returns a bar's columns: an odd number, so that the wick is in the middle, and few enough to leave a gap. */
function slotColumns({ stride, middle }: Slots, index: number): number[] {
  const beside = Math.max(0, (stride >> 1) - 1);
  return Array.from({ length: 2 * beside + 1 }, (_, column) => middle(index) - beside + column);
}

function candleSigns({ stride }: Slots, unicode: boolean): [rose: string, fell: string] {
  if (!unicode) return ['+', '#'];
  return [stride < 3 ? '┃' : '░', '█'];
}

const EIGHTHS = ' ▁▂▃▄▅▆▇█';
const PLAIN_EIGHTHS = ' ...#####';

function drawVolume(canvas: Canvas, slots: Slots, unicode: boolean): void {
  const most = Dec.max(1, ...slots.bars.map(({ volume }) => volume));
  slots.bars.forEach(({ volume }, index) => {
    const eighths = new Dec(volume)
      .div(most)
      .mul(canvas.rows * 8)
      .round()
      .toNumber();
    for (const x of slotColumns(slots, index)) {
      for (let row = 0; row < canvas.rows; row++) {
        const here = Math.max(0, Math.min(8, eighths - (canvas.rows - 1 - row) * 8));
        if (here > 0) canvas.put(x, row, (unicode ? EIGHTHS : PLAIN_EIGHTHS)[here] ?? ' ', 'muted');
      }
    }
  });
}

function resample<T>(values: readonly T[], count: number): T[] {
  return Array.from(
    { length: count },
    (_, index) => values[Math.round((index * (values.length - 1)) / Math.max(1, count - 1))] as T,
  );
}
