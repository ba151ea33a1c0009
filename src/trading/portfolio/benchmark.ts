import { DAY_MS } from '../../values/durations.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import { annualize, type PeriodReturn } from './time-weighted.ts';
import { Rate, type ValuePoint } from './value-point.ts';

export const DEFAULT_BENCHMARK = 'SPY';

export interface AdjustedClose {
  /** A New York day, or the time of an intraday price (RFC 3339, in UTC). */
  readonly date: string;
  readonly close: string;
}

export interface BenchmarkReturn extends PeriodReturn {
  readonly factors: readonly Dec[];
}

/**
 * Returns a benchmark's total return between the first and the last value point of an account. For each point, uses
 * the benchmark's last close on or before that New York day.
 * @param closes oldest first
 * @param dateOf returns a point's date, in the format of the closes' dates
 * @returns undefined if the closes start after the first point
 */
export function benchmarkReturn(
  points: readonly Pick<ValuePoint, 'at'>[],
  closes: readonly AdjustedClose[],
  dateOf: (at: number) => string = newYorkDate,
): BenchmarkReturn | undefined {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  const prices: Dec[] = [];
  let next = 0;
  for (const { at } of points) {
    const date = dateOf(at);
    while (next < closes.length && (closes[next] as AdjustedClose).date <= date) next++;
    const close = closes[next - 1];
    const price = close === undefined ? undefined : new Rate(close.close);
    if (price === undefined || !isPositive(price)) return undefined;
    prices.push(price);
  }
  const factors = prices.slice(1).map((price, i) => price.div(prices[i] as Dec));
  const growth = (prices.at(-1) as Dec).div(prices[0] as Dec);
  const days = (last.at - first.at) / DAY_MS;
  return { factors, period: new Dec(growth).minus(1), annual: annualize(growth, days), days };
}

/**
 * Returns the values that the account would have if its money were invested in the benchmark, with the same starting
 * value, deposits and withdrawals. No value is below zero.
 * @param factors the benchmark's growth from each point to the next
 */
export function benchmarkValues(points: readonly ValuePoint[], factors: readonly Dec[]): Dec[] {
  let worth: Dec = points[0]?.value ?? ZERO;
  return points.map(({ flow }, index) => {
    const factor = factors[index - 1];
    if (factor !== undefined)
      worth = Dec.max(ZERO, worth.plus(Dec.max(flow, ZERO)).mul(factor).plus(Dec.min(flow, ZERO)));
    return worth;
  });
}
