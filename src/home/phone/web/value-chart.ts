import './known-language.ts';
import uPlot from 'uplot';

/** `at` is in seconds since the epoch, `value` in dollars; drawdowns are negative. See ../dashboard/parts.ts. */
interface ChartData {
  readonly at: number[];
  readonly value: number[];
  readonly drawdown: number[];
}

const VALUE_HEIGHT = 170;
const DRAWDOWN_HEIGHT = 80;
/** Width in pixels that fits `$123.5K` and `−12.5%`. */
const AXIS_WIDTH = 58;

const day = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium', timeZone: 'America/New_York' });
const ofYear = new Intl.DateTimeFormat('en-US', {
  month: 'short',
  day: 'numeric',
  timeZone: 'America/New_York',
});
const ofYears = new Intl.DateTimeFormat('en-US', {
  month: 'short',
  year: 'numeric',
  timeZone: 'America/New_York',
});
const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });
const short = new Intl.NumberFormat('en-US', {
  style: 'currency',
  currency: 'USD',
  notation: 'compact',
  maximumFractionDigits: 1,
});
const percent = new Intl.NumberFormat('en-US', { style: 'percent', maximumFractionDigits: 1 });
const minus = (text: string) => text.replace('-', '−');

const drawn = new Map<HTMLElement, readonly uPlot[]>();

/** Draws the account's value and, below it, its drawdown. Does nothing if `place` already has the charts. */
export function drawChart(place: HTMLElement): void {
  if (drawn.has(place) || !place.isConnected) return;
  const { at, value, drawdown } = JSON.parse(place.dataset.chart ?? '{}') as ChartData;
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const long = ['1A', '5A'].includes(place.dataset.period ?? '');
  const told = document.createElement('p');
  told.className = 'at';
  const tell = ({ cursor: { idx } }: uPlot) => {
    const index = idx ?? at.length - 1;
    const seconds = at[index];
    told.textContent =
      seconds === undefined
        ? ''
        : `${day.format(seconds * 1000)}: ${dollars.format(value[index] ?? 0)}, ${minus(percent.format(drawdown[index] ?? 0))}`;
  };
  const common = (height: number, values: (all: readonly number[]) => string[], x: boolean): uPlot.Options => ({
    width: place.clientWidth,
    height,
    padding: [6, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, sync: { key: 'value' }, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true } },
    axes: [
      {
        show: x,
        stroke: color('--soft'),
        grid: { show: false },
        ticks: { show: false },
        size: x ? 26 : 0,
        values: (_, all) => all.map((one) => (long ? ofYears : ofYear).format(one * 1000)),
        font: '12px system-ui, sans-serif',
        space: 80,
      },
      {
        stroke: color('--soft'),
        grid: { stroke: color('--line'), width: 1 },
        ticks: { show: false },
        size: AXIS_WIDTH,
        font: '12px system-ui, sans-serif',
        space: 26,
        values: (_, all) => values(all),
      },
    ],
    series: [{}, {}],
    hooks: { init: [tell], setCursor: [tell] },
  });
  const line = (stroke: string, fill: string): uPlot.Series => ({
    stroke: color(stroke),
    fill: color(fill),
    width: 1.75,
    points: { show: false },
  });
  const above = common(VALUE_HEIGHT, (all) => all.map((one) => short.format(one)), false);
  above.series = [{}, line('--chart', '--chart-fill')];
  const below = common(DRAWDOWN_HEIGHT, (all) => all.map((one) => minus(percent.format(one))), true);
  below.series = [{}, { ...line('--loss', '--chart-fill'), fill: `${color('--loss')}22` }];
  below.scales = { x: { time: true }, y: { range: (_, least) => [Math.min(least * 1.1, -0.01), 0] } };
  const name = document.createElement('p');
  name.className = 'name';
  name.textContent = 'Drawdown from the highest value';
  const parts = [document.createElement('div'), document.createElement('div')] as const;
  place.replaceChildren(told, parts[0], name, parts[1]);
  drawn.set(place, [new uPlot(above, [at, value], parts[0]), new uPlot(below, [at, drawdown], parts[1])]);
}

/** Resizes all charts to the width of their containers. @param redraw also redraws them with the current colors */
export function resizeCharts(redraw: boolean): void {
  // Iterates over a copy: a redrawn chart is a new entry, which would otherwise be visited again without end.
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
