import { DAY_MS } from '../../values/durations.ts';
import { Dec, isPositive } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';
import { annualized, type PeriodReturn } from './time-weighted.ts';
import { Rate, type ValuePoint } from './value-point.ts';

/** What is looked at beside the return where nothing else is named: the S&P 500 as a fund that can be bought. */
export const DEFAULT_BENCHMARK = 'SPY';

/** A day's close in New York, dollars, adjusted for dividends and splits: quotients of such are total returns. */
export interface AdjustedClose {
  readonly date: IsoDate;
  readonly close: string;
}

/** What a benchmark did on an account's own days. */
export interface BenchmarkReturn extends PeriodReturn {
  /** What each stretch between the account's points multiplied the benchmark by. */
  readonly factors: readonly Dec[];
}

/**
 * A benchmark's total return from an account's first point to its last, point by point: each takes the last close of its
 * day in New York or before, so that both are measured over the same stretches.
 * @param closes oldest first
 * @returns undefined where the closes do not reach back to the first point: the return of a shorter time is no comparison
 */
export function benchmarkReturn(
  points: readonly Pick<ValuePoint, 'at'>[],
  closes: readonly AdjustedClose[],
): BenchmarkReturn | undefined {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || first === last) return undefined;
  const prices: Dec[] = [];
  let next = 0;
  for (const { at } of points) {
    const day = newYorkDate(at);
    while (next < closes.length && (closes[next] as AdjustedClose).date <= day) next++;
    const close = closes[next - 1];
    const price = close === undefined ? undefined : new Rate(close.close);
    if (price === undefined || !isPositive(price)) return undefined;
    prices.push(price);
  }
  const factors = prices.slice(1).map((price, i) => price.div(prices[i] as Dec));
  const growth = (prices.at(-1) as Dec).div(prices[0] as Dec);
  const days = (last.at - first.at) / DAY_MS;
  return { factors, period: new Dec(growth).minus(1), annual: annualized(growth, days), days };
}
