import { newYorkDate } from '../../trading/new-york-time.ts';
import { escapeHtml } from './escape.ts';

/** Drawing is the one place where amounts become numbers. */
export interface Dot {
  readonly at: number;
  readonly value: number;
}

const WIDTH = 640;
const HEIGHT = 220;
/** Room for axis labels in a phone's larger letters. */
const LEFT = 112;
const NAMES = 140;
const RIGHT = 8;
const TOP = 20;
const BOTTOM = 26;
/** More points can't be told apart on any screen. */
const MOST_DOTS = 400;

/** A line with the area under it, as SVG colored by the page's style sheet. @param label accessible description */
export function lineChart(
  dots: readonly Dot[],
  options: {
    readonly label: string;
    readonly name: string;
    readonly axis: (value: number) => string;
    readonly fromZero?: boolean;
  },
): string {
  if (dots.length < 2) return '<p class="none">Not enough history yet.</p>';
  const drawn = thinned(dots);
  const values = drawn.map(({ value }) => value);
  const { low, high } = bounds(values, options.fromZero ?? false);
  const [first, last] = [drawn[0] as Dot, drawn.at(-1) as Dot];
  const x = (at: number) =>
    LEFT + ((at - first.at) / Math.max(1, last.at - first.at)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => TOP + ((high - value) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const line = drawn
    .map(({ at, value }, index) => `${index === 0 ? 'M' : 'L'}${round(x(at))} ${round(y(value))}`)
    .join('');
  const ground = options.fromZero ? y(Math.min(high, Math.max(low, 0))) : HEIGHT - BOTTOM;
  const area = `${line}L${round(x(last.at))} ${round(ground)}L${round(x(first.at))} ${round(ground)}Z`;
  const ticks = [high, (high + low) / 2, low].map(
    (value) =>
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(value))}" y2="${round(y(value))}"/>` +
      `<text x="${LEFT - 8}" y="${round(y(value) + 4)}" text-anchor="end">${escapeHtml(options.axis(value))}</text>`,
  );
  const dates =
    `<text x="${LEFT}" y="${HEIGHT - 6}">${newYorkDate(first.at)}</text>` +
    `<text x="${WIDTH - RIGHT}" y="${HEIGHT - 6}" text-anchor="end">${newYorkDate(last.at)}</text>`;
  const paths = `<path class="area" d="${area}"/><path class="line" d="${line}"/>`;
  return svg(options.name, HEIGHT, options.label, ticks.join('') + paths + dates);
}

export function barChart(
  rows: readonly { readonly name: string; readonly value: number; readonly text: string }[],
  label: string,
): string {
  const most = Math.max(...rows.map(({ value }) => Math.abs(value)), 0);
  if (most === 0) return '<p class="none">Nothing is held.</p>';
  const height = rows.length * 30 + 6;
  const start = NAMES + 8;
  const bars = rows.map(({ name, value, text }, index) => {
    const width = (Math.abs(value) / most) * (WIDTH - start - 90);
    const top = index * 30 + 6;
    const bar = { kind: value < 0 ? 'under' : 'bar', left: start, top, width };
    return `${row(name, bar)}<text x="${round(start + width + 8)}" y="${top + 15}">${escapeHtml(text)}</text>`;
  });
  return svg('allocation', height, label, bars.join(''));
}

/** Overweight to the right, underweight to the left. */
export function driftChart(
  rows: readonly { readonly name: string; readonly drift: number; readonly text: string }[],
  label: string,
): string {
  if (rows.length === 0) return '<p class="none">There are no targets.</p>';
  const most = Math.max(...rows.map(({ drift }) => Math.abs(drift)), 0.01);
  const middle = 300;
  const reach = 148;
  const height = rows.length * 30 + 6;
  const bars = rows.map(({ name, drift, text }, index) => {
    const width = (Math.abs(drift) / most) * reach;
    const top = index * 30 + 6;
    const bar = { kind: drift < 0 ? 'under' : 'over', left: drift < 0 ? middle - width : middle, top, width };
    const end = `x="${WIDTH - RIGHT}" y="${top + 15}" text-anchor="end"`;
    return `${row(name, bar)}<text ${end}>${escapeHtml(text)}</text>`;
  });
  const axis = `<line class="axis" x1="${middle}" x2="${middle}" y1="0" y2="${height}"/>`;
  return svg('drift', height, label, axis + bars.join(''));
}

function row(name: string, bar: { kind: string; left: number; top: number; width: number }): string {
  const { kind, left, top, width } = bar;
  return (
    `<text x="${NAMES}" y="${top + 15}" text-anchor="end">${escapeHtml(shortened(name))}</text>` +
    `<rect class="${kind}" x="${round(left)}" y="${top}" width="${round(Math.max(1, width))}" height="20" rx="3"/>`
  );
}

function svg(name: string, height: number, label: string, content: string): string {
  return (
    `<svg class="chart ${name}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">` +
    `<title>${escapeHtml(label)}</title>${content}</svg>`
  );
}

/** Lowest and highest of each stretch, so that no peak is lost. */
export function thinned(dots: readonly Dot[]): readonly Dot[] {
  if (dots.length <= MOST_DOTS) return dots;
  const size = Math.ceil(dots.length / (MOST_DOTS / 2 - 1));
  const kept: Dot[] = [dots[0] as Dot];
  for (let from = 1; from < dots.length - 1; from += size) {
    const part = dots.slice(from, Math.min(from + size, dots.length - 1));
    const low = part.reduce((least, dot) => (dot.value < least.value ? dot : least));
    const high = part.reduce((most, dot) => (dot.value > most.value ? dot : most));
    kept.push(...(low === high ? [low] : low.at < high.at ? [low, high] : [high, low]));
  }
  kept.push(dots.at(-1) as Dot);
  return kept;
}

function bounds(values: readonly number[], fromZero: boolean): { low: number; high: number } {
  let low = values.reduce((least, value) => Math.min(least, value), fromZero ? 0 : Number.POSITIVE_INFINITY);
  let high = values.reduce((most, value) => Math.max(most, value), fromZero ? 0 : Number.NEGATIVE_INFINITY);
  if (high === low)
    [low, high] = fromZero
      ? [-0.01, 0]
      : [low - Math.max(1, Math.abs(low) / 100), high + Math.max(1, Math.abs(high) / 100)];
  return { low, high };
}

const round = (value: number) => Math.round(value * 10) / 10;
const shortened = (name: string) => (name.length > 9 ? `${name.slice(0, 8)}…` : name);
