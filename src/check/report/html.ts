import { capitalize } from '../../text/first-letter.ts';
import { formatDollarAmount } from '../../trading/amounts.ts';
import { Dec } from '../../trading/decimal.ts';
import { newYorkDate } from '../../trading/new-york-time.ts';
import type { Figures } from '../figures.ts';
import type { CheckResult } from '../result-schema.ts';
import { escapeHtml } from './escape.ts';
import {
  accountLine,
  dayText,
  figureLines,
  formatNewYorkTime,
  marketLine,
  outcomeLines,
  skippedLine,
  suggestedLines,
  summaryLine,
} from './lines.ts';

/** Maximum number of bars. The rest are combined. */
const MAX_BARS = 12;

/**
 * Returns one self-contained HTML file, without scripts or external resources, for light and dark mode and for phones.
 * Untrusted text is escaped, and a CSP blocks active content if text is ever left unescaped.
 */
export function renderHtmlReport(result: CheckResult, figures: Pick<Figures, 'points' | 'drawdowns'>): string {
  const e = escapeHtml;
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0
      ? ''
      : `<section><h2>${e(title)}</h2><ul>${lines.map((line) => `<li>${e(line)}</li>`).join('')}</ul></section>`;
  const findings = result.findings.map(
    ({ severity, message, rule }) =>
      `<li class="${e(severity)}"><strong>${e(capitalize(severity))}:</strong> ${e(message)} <small>${e(rule)}</small></li>`,
  );
  const numbers = figureLines(result)
    .map(([label, value]) => `<div><dt>${e(capitalize(label))}</dt><dd>${e(value)}</dd></div>`)
    .join('');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Portfolio check ${e(dayText(result.checked_at))}</title>
<style>${reportStyle}</style>
</head>
<body>
<header>
<h1>${e(capitalize(summaryLine(result)))}</h1>
<p>${e(accountLine(result))}<br>${e(formatNewYorkTime(result.checked_at))}; market ${e(marketLine(result))}</p>
</header>
<main>
${findings.length === 0 ? '' : `<section><h2>Findings</h2><ul class="findings">${findings.join('')}</ul></section>`}
${list(
  'Ongoing',
  result.ongoing.map(({ message, since }) => `${message}, since ${dayText(since)}`),
)}
${list('Suggested orders', suggestedLines(result))}
${list('Orders', outcomeLines(result))}
<section><h2>Figures</h2><dl>${numbers}</dl></section>
<section><h2>Value</h2>${valueChart(figures)}</section>
<section><h2>Drawdown</h2>${drawdownChart(figures)}</section>
<section><h2>Allocation</h2>${allocationChart(result)}</section>
${result.targets.length === 0 ? '' : `<section><h2>Drift from targets <small>weight → target</small></h2>${targetChart(result)}</section>`}
${list(
  'Upcoming closures',
  result.market.closures.map(({ date, what }) => `${date}: the market ${what.replace(/,$/, '')}`),
)}
${list(
  'Snoozed',
  result.snoozed.map(({ message }) => message),
)}
${list('Skipped', result.skipped.map(skippedLine))}
${list('Notes', result.notes)}
</main>
<footer>Made by trade-agent${result.account.simulated ? '. Prices and fills are simulated' : ''}. Not advice.</footer>
</body>
</html>
`;
}

const percent = (fraction: number) => `${(fraction * 100).toFixed(1)}%`;

function valueChart({ points }: Pick<Figures, 'points'>): string {
  const last = points.at(-1)?.value ?? new Dec(0);
  return lineChart(
    points.map(({ at, value }) => ({ at, value: value.toNumber() })),
    {
      name: 'value',
      label: `Value of the account over time, ${formatDollarAmount(last.toFixed(2))} now`,
      axis: shortDollars,
    },
  );
}

function drawdownChart({ drawdowns: { series, current } }: Pick<Figures, 'drawdowns'>): string {
  // The line ends at the current drawdown, even if the high-water mark was set between two day ends.
  const falls = series.map(({ at, fraction }, index) => ({
    at,
    value: -(index === series.length - 1 ? current : fraction).toNumber(),
  }));
  return lineChart(falls, {
    name: 'drawdown',
    label: `Drawdown over time, ${percent(current.toNumber())} now`,
    axis: percent,
    fromZero: true,
  });
}

function allocationChart({ figures }: CheckResult): string {
  const parts = [
    ...figures.by_symbol.map(({ name, weight }) => ({ name, weight: Number(weight) })),
    { name: 'cash', weight: Number(figures.cash_weight) },
  ].sort((a, b) => b.weight - a.weight);
  const rest = parts.splice(MAX_BARS);
  if (rest.length > 0)
    parts.push({ name: `${rest.length} others`, weight: rest.reduce((sum, { weight }) => sum + weight, 0) });
  return barChart(
    parts.map(({ name, weight }) => ({ name, value: weight, text: percent(weight) })),
    'Account weights by symbol',
  );
}

function targetChart({ targets }: CheckResult): string {
  const rows = targets
    .map(({ symbol, target, weight }) => ({
      name: symbol,
      drift: Number(weight) - Number(target),
      text: `${percent(Number(weight))} → ${percent(Number(target))}`,
    }))
    .sort((a, b) => Math.abs(b.drift) - Math.abs(a.drift))
    .slice(0, MAX_BARS * 2);
  return driftChart(rows, 'Drift from the targets, in percentage points');
}

/** Abbreviates dollars for an axis: `$1.2M`, `$98.5k`. */
function shortDollars(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `$${(value / 1e9).toFixed(2)}B`;
  if (size >= 1e6) return `$${(value / 1e6).toFixed(2)}M`;
  return size >= 1e4 ? `$${(value / 1e3).toFixed(1)}k` : `$${value.toFixed(0)}`;
}

const reportStyle = `
:root{--ink:#1b1f24;--soft:#57606a;--ground:#fff;--card:#f6f8fa;--rule:#d0d7de;--line:#0969da;--fall:#cf222e;--over:#bc4c00;--under:#8250df;--warn:#9a6700}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--ground:#0d1117;--card:#161b22;--rule:#30363d;--line:#4493f8;--fall:#f85149;--over:#db6d28;--under:#ab7df8;--warn:#d29922}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:68rem;margin:0 auto}
h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0}
h2{font-size:1.05rem;margin:0 0 .5rem}
header p,footer,small{color:var(--soft)}
h2 small{font-weight:400}
footer{font-size:.85rem}
@media (min-width:60rem){main{columns:2;column-gap:1rem}}
section{break-inside:avoid;margin:0 0 1rem;background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:1rem}
ul{margin:0;padding-left:1.2rem}
.findings{list-style:none;padding:0}
.findings li{border-left:4px solid var(--line);padding:.25rem .75rem;margin:.4rem 0}
.findings .warning{border-color:var(--warn)}
.findings .critical{border-color:var(--fall)}
dl{margin:0}
dl div{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;border-bottom:1px solid var(--rule);padding:.3rem 0}
dl div:last-child{border:0}
dt{color:var(--soft)}
dd{margin:0 0 0 auto;text-align:right;font-variant-numeric:tabular-nums}
.chart{display:block;width:100%;height:auto}
.chart text{fill:var(--soft);font:15px system-ui,sans-serif}
.chart .grid{stroke:var(--rule)}
.chart .axis{stroke:var(--soft)}
.chart .line{fill:none;stroke:var(--line);stroke-width:2;stroke-linejoin:round}
.chart .area{fill:var(--line);opacity:.15}
.chart .bar{fill:var(--line)}
.chart .over{fill:var(--over)}
.chart .under{fill:var(--under)}
.drawdown .line{stroke:var(--fall)}
.drawdown .area{fill:var(--fall)}
@media (max-width:40rem){.chart text{font-size:22px}}
.none{color:var(--soft);margin:0}
`;

interface ChartPoint {
  readonly at: number;
  readonly value: number;
}

const WIDTH = 640;
const HEIGHT = 220;
/** Left margin, wide enough for axis labels in the larger font that phones get. */
const LEFT = 112;
const NAMES = 140;
const RIGHT = 8;
const TOP = 20;
const BOTTOM = 26;
/** Maximum number of points. More are indistinguishable on any screen. */
const MAX_POINTS = 400;

/** Renders a line and the area below it as SVG, colored by the page's style sheet. */
function lineChart(
  dots: readonly ChartPoint[],
  options: {
    readonly label: string;
    readonly name: string;
    readonly axis: (value: number) => string;
    readonly fromZero?: boolean;
  },
): string {
  if (dots.length < 2) return '<p class="none">Not enough history yet.</p>';
  const drawn = thinOutPoints(dots);
  const values = drawn.map(({ value }) => value);
  const { low, high } = bounds(values, options.fromZero ?? false);
  const [first, last] = [drawn[0] as ChartPoint, drawn.at(-1) as ChartPoint];
  const x = (at: number) => LEFT + ((at - first.at) / Math.max(1, last.at - first.at)) * (WIDTH - LEFT - RIGHT);
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

function barChart(
  rows: readonly { readonly name: string; readonly value: number; readonly text: string }[],
  label: string,
): string {
  const most = Math.max(...rows.map(({ value }) => Math.abs(value)), 0);
  if (most === 0) return '<p class="none">No positions.</p>';
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

/** Draws overweight positions to the right and underweight positions to the left. */
function driftChart(
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

/** Keeps only the lowest and highest point of each interval, so that no peak is lost. */
export function thinOutPoints(dots: readonly ChartPoint[]): readonly ChartPoint[] {
  if (dots.length <= MAX_POINTS) return dots;
  const size = Math.ceil(dots.length / (MAX_POINTS / 2 - 1));
  const kept: ChartPoint[] = [dots[0] as ChartPoint];
  for (let from = 1; from < dots.length - 1; from += size) {
    const part = dots.slice(from, Math.min(from + size, dots.length - 1));
    const low = part.reduce((least, dot) => (dot.value < least.value ? dot : least));
    const high = part.reduce((most, dot) => (dot.value > most.value ? dot : most));
    kept.push(...(low === high ? [low] : low.at < high.at ? [low, high] : [high, low]));
  }
  kept.push(dots.at(-1) as ChartPoint);
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
