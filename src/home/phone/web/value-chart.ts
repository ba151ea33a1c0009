import './known-language.ts';
import uPlot from 'uplot';

/**
 * `at` is in seconds since the epoch and `value` in dollars. Drawdowns are negative, and absent in a brief chart. See
 * ../dashboard/portfolio-parts.ts.
 */
interface ChartData {
  readonly at: number[];
  readonly value: number[];
  readonly drawdown?: number[];
  /** The value that the same money would have in the benchmark. */
  readonly benchmark?: { readonly name: string; readonly value: number[] };
  /** The person's trades: the index of the value, the side, and a description for the line above the chart. */
  readonly trades?: readonly (readonly [index: number, side: 'buy' | 'sell', words?: string])[];
}

const VALUE_HEIGHT = 170;
/** Height of the value chart in pixels if the page is at least as wide as on a desktop. */
const WIDE_VALUE_HEIGHT = 240;
const WIDE = 700;
const DRAWDOWN_HEIGHT = 80;
/** Width of the axis in pixels, enough for `$123.5K` and `−12.5%`. */
const AXIS_WIDTH = 58;
const FONT = '12px system-ui, sans-serif';
/** Possible distances between the labels of the time axis, in numbers of values. */
const LABEL_STEPS = [1, 2, 3, 5, 10, 15, 20, 30, 50, 100, 200, 300, 500, 1000];

const market = { timeZone: 'America/New_York' } as const;
const day = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', ...market });
const ofYear = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', ...market });
const ofYears = new Intl.DateTimeFormat('en-US', { month: 'short', year: 'numeric', ...market });
// Times within a day are in the phone's time zone, as everywhere on the pages.
const time = new Intl.DateTimeFormat('en-US', { hour: 'numeric', minute: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat('en-US', {
  weekday: 'short',
  month: 'short',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
});
const weekday = new Intl.DateTimeFormat('en-US', { weekday: 'short', day: 'numeric' });
const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
/** Formats a price below one dollar, with all of the broker's digits. */
const tiny = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', maximumFractionDigits: 9 });
const signed = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD', signDisplay: 'exceptZero' });
const short = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  notation: 'compact',
  maximumFractionDigits: 1,
});
const percent = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 });
const signedPercent = new Intl.NumberFormat('en-US', {
  style: 'percent',
  maximumFractionDigits: 2,
  signDisplay: 'exceptZero',
});

/** Formats of the time axis and of the time under the cursor, by period. */
const formats: Readonly<Record<string, readonly [axis: Intl.DateTimeFormat, cursor: Intl.DateTimeFormat]>> = {
  '1D': [time, dayAndTime],
  '1W': [weekday, dayAndTime],
  '1M': [ofYear, day],
  '3M': [ofYear, day],
};

const drawn = new Map<HTMLElement, readonly uPlot[]>();

/**
 * Draws the account's value and, unless the chart is brief, its drawdown below. Does nothing if `place` already has the
 * charts. A finger, a mouse or the arrow keys move a line, and the text above describes the value at the line.
 */
export function drawChart(place: HTMLElement): void {
  if (drawn.has(place) || !place.isConnected) return;
  const data = JSON.parse(place.dataset.chart ?? '{}') as ChartData;
  const { at, value, drawdown, benchmark, trades } = data;
  const [axisFormat, cursorFormat] = formats[place.dataset.period ?? ''] ?? [ofYears, day];
  const told = document.createElement('p');
  told.className = 'at';
  const textAt = (index: number) => describePoint(data, index, cursorFormat);
  const tell = ({ cursor: { idx } }: uPlot) => {
    const index = idx ?? at.length - 1;
    told.textContent = textAt(index);
    place.setAttribute('aria-valuenow', String(index));
    place.setAttribute('aria-valuetext', textAt(index));
  };
  // The x-axis is the value's index rather than its time, so that nights and weekends leave no gaps.
  const axisText = (index: number) => {
    const seconds = at[index];
    return seconds === undefined ? '' : axisFormat.format(seconds * 1000);
  };
  const color = pageColors();
  const height = drawdown !== undefined && place.clientWidth >= WIDE ? WIDE_VALUE_HEIGHT : VALUE_HEIGHT;
  const common = (height: number, x: boolean, y?: (all: readonly number[]) => string[]): uPlot.Options => ({
    width: place.clientWidth,
    height,
    // Without a time axis, the lowest label needs more space below.
    padding: [6, y === undefined ? 40 : 22, x ? 0 : 8, y === undefined ? 40 : 0],
    legend: { show: false },
    cursor: { y: false, sync: { key: 'value' }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false } },
    axes: [x ? timeAxis(color('--soft'), axisText) : { show: false }, valueAxis(color, y)],
    series: [{}, {}],
    hooks: { init: [tell], setCursor: [tell] },
  });
  const line = (stroke: string, fill: string): uPlot.Series => ({
    stroke: color(stroke),
    fill,
    width: 1.75,
    points: { show: false },
  });
  const order = at.map((_, index) => index);
  const above =
    drawdown === undefined ? common(height, true) : common(height, false, (all) => all.map((one) => short.format(one)));
  above.series = [{}, line('--chart', color('--chart-fill'))];
  if (benchmark !== undefined) above.series.push({ ...line('--soft', 'transparent'), dash: [5, 4] });
  const parts = [document.createElement('div'), document.createElement('div')] as const;
  place.replaceChildren(told, parts[0]);
  if (trades !== undefined) above.hooks = { ...above.hooks, draw: [(chart) => drawTrades(chart, trades, color)] };
  const lines = benchmark === undefined ? [value] : [value, benchmark.value];
  const charts = [new uPlot(above, [order, ...lines], parts[0])];
  if (drawdown !== undefined) {
    const below = common(DRAWDOWN_HEIGHT, true, (all) => all.map((one) => percent.format(one)));
    below.series = [{}, line('--loss', `${color('--loss')}22`)];
    below.scales = { x: { time: false }, y: { range: (_, least) => [Math.min(least * 1.1, -0.01), 0] } };
    const name = document.createElement('p');
    name.className = 'name';
    name.textContent = 'Drawdown from the highest value';
    place.append(name, parts[1]);
    charts.push(new uPlot(below, [order, drawdown], parts[1]));
  }
  drawn.set(place, charts);
  const [chart] = charts;
  if (chart !== undefined) scrub(place, chart, at.length);
}

/** Describes the point under the cursor: its time, value and change, the benchmark, and the person's trades there. */
function describePoint({ at, value, ...more }: ChartData, index: number, timeFormat: Intl.DateTimeFormat): string {
  const seconds = at[index];
  if (seconds === undefined) return '';
  const { drawdown, benchmark, trades } = more;
  const [there = 0, first = 0] = [value[index], value[0]];
  const isPrice = drawdown === undefined && trades !== undefined;
  const text = isPrice && Math.abs(there) < 1 ? tiny.format(there) : dollars.format(there);
  const change = isPrice ? signedPercent.format((there - first) / (first || 1)) : signed.format(there - first);
  return [
    `${timeFormat.format(seconds * 1000)}: ${text}, ${drawdown === undefined ? change : percent.format(drawdown[index] ?? 0)}`,
    ...(benchmark === undefined ? [] : [`${benchmark.name} ${dollars.format(benchmark.value[index] ?? 0)}`]),
    ...(trades ?? []).flatMap(([place, , words]) => (place === index && words !== undefined ? [words] : [])),
  ].join(' · ');
}

const MARK_SIZE = 6;

/** Marks each purchase with a triangle below its price, and each sale with a triangle above. */
function drawTrades(
  { ctx, data, valToPos }: uPlot,
  trades: NonNullable<ChartData['trades']>,
  color: (name: string) => string,
) {
  const size = MARK_SIZE * devicePixelRatio;
  for (const [index, side] of trades) {
    const price = data[1]?.[index];
    if (price == null) continue;
    const [x, y] = [valToPos(index, 'x', true), valToPos(price, 'y', true)];
    const up = side === 'buy' ? 1 : -1;
    ctx.beginPath();
    ctx.moveTo(x, y + up * size * 0.5);
    ctx.lineTo(x - size, y + up * size * 2);
    ctx.lineTo(x + size, y + up * size * 2);
    ctx.closePath();
    ctx.fillStyle = color(side === 'buy' ? '--buy' : '--sell');
    ctx.fill();
  }
}

function pageColors(): (name: string) => string {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

function timeAxis(stroke: string, text: (index: number) => string): uPlot.Axis {
  return {
    stroke,
    grid: { show: false },
    ticks: { show: false },
    size: 26,
    incrs: LABEL_STEPS,
    values: (_, all) => all.map(text),
    font: FONT,
    space: 80,
  };
}

function valueAxis(
  color: (name: string) => string,
  text: ((all: readonly number[]) => string[]) | undefined,
): uPlot.Axis {
  if (text === undefined) return { show: false };
  return {
    stroke: color('--soft'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
    size: AXIS_WIDTH,
    font: FONT,
    space: 26,
    values: (_, all) => text(all),
  };
}

/** Page Up and Page Down move the line by this part of the chart's values (10 means one tenth). */
const PAGE_PART = 10;

/** Lets a finger and the keyboard move the line. For screen readers, the chart is a slider over its values. */
function scrub(place: HTMLElement, chart: uPlot, count: number): void {
  place.tabIndex = 0;
  place.setAttribute('role', 'slider');
  place.setAttribute('aria-label', place.dataset.label ?? 'Value over time');
  place.setAttribute('aria-valuemin', '0');
  place.setAttribute('aria-valuemax', String(count - 1));
  const moveTo = (left: number) => chart.setCursor({ left, top: 0 });
  const byFinger = ({ pointerType, clientX }: PointerEvent) => {
    if (pointerType !== 'mouse')
      moveTo(Math.min(chart.over.clientWidth, Math.max(0, clientX - chart.over.getBoundingClientRect().left)));
  };
  // Set as properties, so that drawing a chart again replaces its earlier listeners.
  place.onpointerdown = byFinger;
  place.onpointermove = byFinger;
  place.onblur = () => moveTo(-1);
  place.onkeydown = (event) => {
    const now = chart.cursor.idx ?? count - 1;
    const page = Math.max(1, Math.round(count / PAGE_PART));
    const next: Readonly<Record<string, number>> = {
      ArrowLeft: now - 1,
      ArrowDown: now - 1,
      ArrowRight: now + 1,
      ArrowUp: now + 1,
      PageDown: now - page,
      PageUp: now + page,
      Home: 0,
      End: count - 1,
    };
    const index = next[event.key];
    if (index === undefined) return;
    event.preventDefault();
    moveTo(chart.valToPos(Math.min(count - 1, Math.max(0, index)), 'x'));
  };
}

/** Resizes all charts to the width of their containers. @param redraw also redraws them with the current colors */
export function resizeCharts(redraw: boolean): void {
  // Iterates over a copy, because redrawing a chart adds an entry, which would otherwise be visited again and again.
  for (const [place, charts] of [...drawn]) {
    if (!place.isConnected || redraw) {
      for (const chart of charts) chart.destroy();
      drawn.delete(place);
      if (place.isConnected) drawChart(place);
      continue;
    }
    const width = place.clientWidth;
    for (const chart of charts) if (chart.width !== width) chart.setSize({ width, height: chart.height });
  }
}
