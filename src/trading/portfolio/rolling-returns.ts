import type { Dec } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';
import { monthsBefore } from '../period.ts';
import { Rate, type ValuePoint } from './value-point.ts';

interface WindowReturn {
  readonly ends: IsoDate;
  readonly return: Dec;
}

/**
 * Returns the time-weighted return of each `months`-month window, one window ending at each point. Omits windows that
 * begin after a total loss. Source: Bacon (2nd ed.), "rolling returns".
 * @param factors growth factors between the points
 * @returns undefined if the points cover less than one window
 */
export function rollingReturns(points: readonly Pick<ValuePoint, 'at'>[], factors: readonly Dec[], months: number) {
  const days = points.slice(0, factors.length + 1).map(({ at }) => newYorkDate(at));
  const growth: Dec[] = [new Rate(1)];
  for (const factor of factors) growth.push((growth.at(-1) as Dec).mul(factor));
  const found: WindowReturn[] = [];
  let start = -1;
  for (const [end, ends] of days.entries()) {
    const from = monthsBefore(ends, months);
    while ((days[start + 1] ?? ends) <= from) start++;
    const before = growth[start];
    if (before === undefined || before.isZero()) continue;
    found.push({ ends, return: (growth[end] as Dec).div(before).minus(1) });
  }
  const [first] = found;
  if (first === undefined) return undefined;
  const pick = (better: (a: Dec, b: Dec) => boolean) =>
    found.reduce((chosen, one) => (better(one.return, chosen.return) ? one : chosen), first);
  return {
    months,
    count: found.length,
    latest: found.at(-1) ?? first,
    best: pick((a, b) => a.gt(b)),
    worst: pick((a, b) => a.lt(b)),
    average: found.reduce((sum, one) => sum.plus(one.return), new Rate(0)).div(found.length),
    gains: found.filter((one) => one.return.isPositive() && !one.return.isZero()).length,
  };
}
