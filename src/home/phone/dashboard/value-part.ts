import { html } from 'hono/html';
import { type Activity, flowsOf } from '../../../trading/activity.ts';
import { dollars } from '../../../trading/amounts.ts';
import { Dec } from '../../../trading/decimal.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { drawdowns } from '../../../trading/portfolio/drawdown.ts';
import { type ValuePoint, valuePoints } from '../../../trading/portfolio/value-point.ts';
import type { Markup } from '../page.ts';
import type { DatedValue, Period } from './dashboard-data.ts';
import { gain, weight } from './figures.ts';

/** Points that a picture of a page's width can show. */
const MOST_POINTS = 800;

/**
 * What the account was worth, and how far below its highest: for the script to draw, and in words. Money that came or went is
 * neither rise nor fall of the drawdown.
 */
export function valuePart(
  values: readonly DatedValue[],
  activities: readonly Activity[],
  period: Period,
): Markup {
  const points = valuePoints(
    values.map(({ at, equity }) => ({ at: Date.parse(at), value: new Dec(equity) })),
    flowsOf(activities),
  );
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || points.length < 2)
    return html`<p class="soft none" data-testid="no-value">There is nothing to draw yet: the broker has no value from before today.</p>`;
  const { series, current, worst } = drawdowns(points);
  const drawn = thinned(points.map((point, index) => ({ ...point, below: series[index]?.fraction })));
  const chart = JSON.stringify({
    at: drawn.map(({ at }) => Math.round(at / 1000)),
    value: drawn.map(({ value }) => value.toDecimalPlaces(2).toNumber()),
    drawdown: drawn.map(({ below }) => (below === undefined ? 0 : -below.toDecimalPlaces(6).toNumber())),
  });
  const moved = points.reduce((sum, { flow }) => sum.plus(flow), new Dec(0));
  const earned = last.value.minus(first.value).minus(moved);
  return html`<div class="chart" data-chart="${chart}" data-period="${period}" aria-hidden="true"></div>
<p class="words small" data-testid="value-words">From ${day(first)} to ${day(last)}: ${dollars(first.value.toFixed())} to ${dollars(last.value.toFixed())}, ${gain(earned.toFixed(2))}${
    moved.isZero() ? '' : html` beside ${dollars(moved.toFixed(2))} that came in or went out`
  }. ${
    worst === undefined
      ? 'It was never below its highest.'
      : html`Deepest drawdown <span class="loss">−${weight(worst.fraction.toFixed(12))}</span>, ${newYorkDate(worst.peakAt)} to ${newYorkDate(worst.troughAt)}; now <span class="${current.isZero() ? 'even' : 'loss'}">−${weight(current.toFixed(12))}</span>.`
  }</p>`;
}

function day({ at }: ValuePoint): string {
  return newYorkDate(at);
}

/** Every so many, and always the last. */
function thinned<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / MOST_POINTS);
  return points.filter((_, index) => (points.length - 1 - index) % step === 0);
}
