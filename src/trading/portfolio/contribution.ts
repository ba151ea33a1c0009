import { type Activity, toFills, toShareExchanges } from '../activity.ts';
import { contractMultiplier } from '../asset-class.ts';
import { Dec, isPositive, signedQty, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import type { AdjustedClose } from './benchmark.ts';
import { Rate, type ValuePoint } from './value-point.ts';

/** Each symbol's profit in each period between the points, in dollars. */
type ProfitsBySymbol = ReadonlyMap<string, readonly Dec[]>;

/**
 * Returns contributions to a time-weighted return. In each period, a position's contribution is its profit divided by
 * the opening value plus deposits. Each period's contributions are scaled by the growth before that period, Σ profit(i)
 * / base(i) × Π(j<i) factor(j), so that all contributions add up to the return. Source: Litterman, Modern Investment
 * Management (2003), eq. 19.50 to 19.53; equals GRAP (Bacon, 2nd ed.) without a benchmark.
 * @param factors growth factors between the points
 * @returns each position's profit in dollars (change in value minus the amount paid, plus dividends) and its fraction
 * of the return. `rest` is the remainder: interest, fees, and positions without prices
 */
export function contributions(points: readonly ValuePoint[], factors: readonly Dec[], profits: ProfitsBySymbol) {
  const scales: Dec[] = [];
  let growth: Dec = new Rate(1);
  let allProfit = ZERO;
  for (const [i, factor] of factors.entries()) {
    const { value } = points[i] as ValuePoint;
    const { value: after, flow } = points[i + 1] as ValuePoint;
    const base = isPositive(flow) ? value.plus(flow) : value;
    scales.push(base.isZero() ? ZERO : growth.div(base));
    allProfit = allProfit.plus(after.minus(value).minus(flow));
    growth = growth.mul(factor);
  }
  const total = new Dec(growth).minus(1);
  const positions = [...profits].map(([symbol, made]) => ({
    symbol,
    profit: sum(made.slice(0, scales.length)),
    contribution: sum(scales.map((scale, i) => scale.mul(made[i] ?? ZERO))),
  }));
  positions.sort((a, b) => b.contribution.comparedTo(a.contribution) || (a.symbol < b.symbol ? -1 : 1));
  return {
    positions,
    rest: {
      profit: allProfit.minus(sum(positions.map(({ profit }) => profit))),
      contribution: total.minus(sum(positions.map(({ contribution }) => contribution))),
    },
    total,
  };
}

/**
 * Returns each symbol's profit between the points. The shares at a point are today's shares minus all later changes.
 * Shares that moved without a trade count as flows at that day's close (GIPS), unless they were exchanged for others.
 * A symbol without closes is omitted, and its profit becomes part of the remainder.
 * @param closes raw prices by symbol, oldest first
 */
export function profitsBySymbol(
  points: readonly Pick<ValuePoint, 'at'>[],
  positions: readonly Position[],
  activities: readonly Activity[],
  closes: ReadonlyMap<string, readonly AdjustedClose[]>,
): ProfitsBySymbol {
  const ends = points.map(({ at }) => at);
  const held = new Map(positions.map((position) => [position.symbol, position]));
  const changes = Map.groupBy(positionChanges(activities), ({ symbol }) => symbol);
  return new Map(
    [...closes].map(([symbol, prices]) => {
      const priceAt = closesAtPoints(ends, prices, contractMultiplier(symbol));
      return [symbol, periodProfits(ends, priceAt, held.get(symbol), changes.get(symbol) ?? [])];
    }),
  );
}

function periodProfits(
  ends: readonly number[],
  priceAt: readonly (Dec | undefined)[],
  position: Position | undefined,
  changes: readonly Change[],
): Dec[] {
  /** Shares and dollars received in each period, indexed by the period's last point. */
  const shares = ends.map(() => ZERO);
  const cash = ends.map(() => ZERO);
  for (const change of changes) {
    const point = firstPointAfter(ends, change.at);
    if (point >= ends.length) continue;
    const paid = change.moved ? change.shares.mul(priceAt[point] ?? ZERO).neg() : change.cash;
    shares[point] = (shares[point] as Dec).plus(change.shares);
    cash[point] = (cash[point] as Dec).plus(paid);
  }
  let qty = position === undefined ? ZERO : signedQty(position);
  let after = new Dec(position?.market_value ?? 0);
  const made: Dec[] = [];
  for (let point = ends.length - 1; point > 0; point--) {
    qty = qty.minus(shares[point] as Dec);
    const before = qty.isZero() ? ZERO : qty.mul(priceAt[point - 1] ?? ZERO);
    made.push(after.minus(before).plus(cash[point] as Dec));
    after = before;
  }
  return made.reverse();
}

function firstPointAfter(ends: readonly number[], at: number): number {
  let [low, high] = [0, ends.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] as number) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Change {
  readonly symbol: string;
  readonly at: number;
  readonly shares: Dec;
  readonly cash: Dec;
  /** Whether the shares moved without payment, so that they count as a flow at market value. */
  readonly moved: boolean;
}

function positionChanges(activities: readonly Activity[]): Change[] {
  const trades = toFills(activities).map(({ symbol, side, qty, price, at }) => {
    const shares = side === 'buy' ? qty : qty.neg();
    return { symbol, at, shares, cash: shares.mul(price).neg(), moved: false };
  });
  const exchanges = toShareExchanges(activities).flatMap(({ legs, at, replacesShares: turns, cash }) =>
    legs.map(({ symbol, qty }, index) => {
      return { symbol, at, shares: qty, cash: index === 0 ? cash : ZERO, moved: !turns };
    }),
  );
  const dividends = activities.flatMap(({ kind, symbol, amount, at }) => {
    if (kind !== 'dividend' || symbol === null || amount === null) return [];
    return [{ symbol, at: Date.parse(at), shares: ZERO, cash: new Dec(amount), moved: false }];
  });
  return [...trades, ...exchanges, ...dividends];
}

function closesAtPoints(ends: readonly number[], closes: readonly AdjustedClose[], units: number): (Dec | undefined)[] {
  let next = 0;
  return ends.map((at) => {
    const day = newYorkDate(at);
    while (next < closes.length && (closes[next] as AdjustedClose).date <= day) next++;
    const close = closes[next - 1]?.close;
    return close === undefined ? undefined : new Dec(close).mul(units);
  });
}

const sum = (values: readonly Dec[]): Dec => values.reduce((total, value) => total.plus(value), ZERO);
