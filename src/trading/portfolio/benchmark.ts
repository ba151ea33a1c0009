import { DAY_MS } from '../../values/durations.ts';
import { Dec, isPositive } from '../decimal.ts';
import { type IsoDate, newYorkDate } from '../new-york-time.ts';
import { annualize, type PeriodReturn } from './time-weighted.ts';
import { Rate, type ValuePoint } from './value-point.ts';

export const DEFAULT_BENCHMARK = 'SPY';

export interface AdjustedClose {
  readonly date: IsoDate;
  readonly close: string;
}

export interface BenchmarkReturn extends PeriodReturn {
  readonly factors: readonly Dec[];
}

/**
 * Returns a benchmark's total return between the first and the last value point of an account. For each point, uses
 * the benchmark's last close on or before that New York day.
 * @param closes oldest first
 * @returns undefined if the closes start after the first point
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
  return { factors, period: new Dec(growth).minus(1), annual: annualize(growth, days), days };
}
