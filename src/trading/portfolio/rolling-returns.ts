import type { Dec } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';
import { monthsBefore } from '../period.ts';
import { Rate, type ValuePoint } from './value-point.ts';

/** The return of a stretch, a fraction, and its last day in New York. */
interface WindowReturn {
  readonly ends: IsoDate;
  readonly return: Dec;
}

/** The returns of every stretch of so many months. */
interface RollingReturns {
  readonly months: number;
  readonly count: number;
  readonly latest: WindowReturn;
  readonly best: WindowReturn;
  readonly worst: WindowReturn;
  /** The mean of them all. */
  readonly average: Dec;
  /** How many of them made a gain. */
  readonly gains: number;
}

/**
 * Time-weighted returns of the stretches of so many months that end at each point, each from the last point on or before
 * the same day that many months earlier. A stretch after everything was lost has no return and is left out. Source:
 * Bacon, Practical Portfolio Performance Measurement and Attribution (2nd ed.), "rolling returns".
 * @param factors what each stretch between the points multiplied the money by
 * @returns undefined where the points reach back less far
 */
export function rollingReturns(
  points: readonly Pick<ValuePoint, 'at'>[],
  factors: readonly Dec[],
  months: number,
): RollingReturns | undefined {
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
