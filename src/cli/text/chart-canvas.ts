import { Dec } from '../../trading/decimal.ts';
import type { Bar } from '../../trading/views.ts';
import type { Paint, Role } from './theme.ts';

interface Cell {
  readonly sign: string;
  readonly role: Role | undefined;
}

/** Maps a price to 0 to `steps - 1`; prices outside the range go to the edge. */
export interface Scale {
  readonly low: Dec;
  readonly high: Dec;
}

export function levelOf(price: Dec | string, { low, high }: Scale, steps: number): number {
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

/** Row 0 is the highest. */
export class Canvas {
  readonly width: number;
  readonly rows: number;
  readonly #cells: (Cell | undefined)[][];

  constructor(width: number, rows: number) {
    this.width = width;
    this.rows = rows;
    this.#cells = Array.from({ length: rows }, () => new Array<Cell | undefined>(width).fill(undefined));
  }

  put(x: number, row: number, sign: string, role?: Role): void {
    const line = this.#cells[row];
    if (line !== undefined && x >= 0 && x < this.width) line[x] = { sign, role };
  }

  /** Draws only on an empty cell. */
  under(x: number, row: number, sign: string, role?: Role): void {
    if (this.#cells[row]?.[x] === undefined) this.put(x, row, sign, role);
  }

  /** Copies this drawing to the upper left of another. */
  copyTo(other: Canvas): void {
    this.#cells.forEach((row, y) => {
      row.forEach((cell, x) => {
        if (cell !== undefined) other.put(x, y, cell.sign, cell.role);
      });
    });
  }

  /** Neighbors of one role are painted together. */
  lines(paint: Paint): string[] {
    return this.#cells.map((row) => {
      let text = '';
      let run = '';
      let role: Role | undefined;
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

/** The dot's bit within a Braille character (U+2800), by column and row. */
const DOTS = [
  [0x01, 0x02, 0x04, 0x40],
  [0x08, 0x10, 0x20, 0x80],
] as const;

/** A line in Braille dots, 2 by 4 to a character. */
export function drawBraille(canvas: Canvas, closes: readonly string[], scale: Scale): void {
  const { width, rows } = canvas;
  const heights = spread(closes, width * 2).map((close) => levelOf(close, scale, rows * 4));
  const cells = Array.from({ length: rows }, () => new Uint8Array(width));
  heights.forEach((height, x) => {
    // From the previous dot to this one, so that the line has no gaps.
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

/** One sign a column: `_`, `-` and `'` for the lower, middle and upper part of a row, `|` where the line climbs. */
export function drawPlain(canvas: Canvas, closes: readonly string[], scale: Scale): void {
  const { width, rows } = canvas;
  const parts = ['_', '-', "'"];
  const heights = spread(closes, width).map((close) => levelOf(close, scale, rows * parts.length));
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

/** Bars side by side over the whole width; several are merged where there are more than columns. */
export interface Slots {
  readonly bars: readonly Bar[];
  /** Columns of a bar, including its gap. */
  readonly stride: number;
  middle(index: number): number;
}

export function slotsOf(bars: readonly Bar[], width: number): Slots {
  const grouped = bars.length > width ? grouping(bars, width) : bars;
  const stride = Math.max(1, Math.floor(width / Math.max(1, grouped.length)));
  return { bars: grouped, stride, middle: (index) => index * stride + Math.floor((stride - 1) / 2) };
}

function grouping(bars: readonly Bar[], count: number): Bar[] {
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

/** Half a character of a candle: nothing, wick, or body. */
type Half = 0 | 1 | 2;
/** By upper and lower half. A rising bar is hollow or slim, a falling one filled: legible without color. */
const SLIM = [' ╵╹', '╷│╿', '╻╽┃'];
const FILLED = [' ╵▀', '╷│█', '▄██'];
const HOLLOW = [' ╵░', '╷│░', '░░░'];
const PLAIN_ROSE = [' |+', '||+', '+++'];
const PLAIN_FELL = [' |#', '||#', '###'];

/** Candles: the wick from low to high, the body between open and close. */
export function drawCandles(canvas: Canvas, slots: Slots, scale: Scale, unicode: boolean): void {
  slots.bars.forEach((bar, index) => {
    const rose = new Dec(bar.close).gte(bar.open);
    const half = candleHalves(bar, scale, canvas.rows * 2);
    const columns = columnsOf(slots, index);
    const signs = signsOf(rose, columns.length > 1, unicode);
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
  const [low, high] = [levelOf(bar.low, scale, steps), levelOf(bar.high, scale, steps)];
  const ends = [levelOf(bar.open, scale, steps), levelOf(bar.close, scale, steps)];
  const [bottom, top] = [Math.min(...ends), Math.max(...ends)];
  return (level, wick) => {
    if (level >= bottom && level <= top) return 2;
    return wick && level >= low && level <= high ? 1 : 0;
  };
}

function signsOf(rose: boolean, wide: boolean, unicode: boolean): readonly string[] {
  if (!unicode) return rose ? PLAIN_ROSE : PLAIN_FELL;
  if (!rose) return FILLED;
  return wide ? HOLLOW : SLIM;
}

/** A bar's columns: an odd number, for a wick in the middle, with room for a gap. */
function columnsOf({ stride, middle }: Slots, index: number): number[] {
  const beside = Math.max(0, (stride >> 1) - 1);
  return Array.from({ length: 2 * beside + 1 }, (_, column) => middle(index) - beside + column);
}

export function candleSigns({ stride }: Slots, unicode: boolean): [rose: string, fell: string] {
  if (!unicode) return ['+', '#'];
  return [stride < 3 ? '┃' : '░', '█'];
}

const EIGHTHS = ' ▁▂▃▄▅▆▇█';
const PLAIN_EIGHTHS = ' ...#####';

/** The volume of each bar; the highest reaches the top. */
export function drawVolume(canvas: Canvas, slots: Slots, unicode: boolean): void {
  const most = Dec.max(1, ...slots.bars.map(({ volume }) => volume));
  slots.bars.forEach(({ volume }, index) => {
    const eighths = new Dec(volume)
      .div(most)
      .mul(canvas.rows * 8)
      .round()
      .toNumber();
    for (const x of columnsOf(slots, index)) {
      for (let row = 0; row < canvas.rows; row++) {
        const here = Math.max(0, Math.min(8, eighths - (canvas.rows - 1 - row) * 8));
        if (here > 0) canvas.put(x, row, (unicode ? EIGHTHS : PLAIN_EIGHTHS)[here] ?? ' ', 'muted');
      }
    }
  });
}

/** Exactly `count` values: a selection of many, or few repeated. */
function spread<T>(values: readonly T[], count: number): T[] {
  return Array.from(
    { length: count },
    (_, index) => values[Math.round((index * (values.length - 1)) / Math.max(1, count - 1))] as T,
  );
}
