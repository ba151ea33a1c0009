import { type Activity, exchangesOf, fillsOf } from '../activity.ts';
import { unitsOf } from '../asset-class.ts';
import { Dec, isPositive, signedQty, ZERO } from '../decimal.ts';
import { newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import type { AdjustedClose } from './benchmark.ts';
import { Rate, type ValuePoint } from './value-point.ts';

/** What one symbol made in each stretch between the points, dollars. */
type Profits = ReadonlyMap<string, readonly Dec[]>;

/**
 * Contributions to a time-weighted return. In each period a position contributes its profit over the opening value
 * plus deposits; periods are linked by prior growth, Σ profit(i) / base(i) × Π(j<i) factor(j), which telescopes to
 * the return. Source: Litterman, Modern Investment Management (2003), eq. 19.50 to 19.53; equals GRAP (Bacon, 2nd
 * ed.) without a benchmark. @param factors growth factors between the points @returns each position's dollars (change in
 * value less what was paid, plus dividends) and its fraction of the return; as `rest` what no position accounts for:
 * interest, fees, and positions without prices
 */
export function contributions(points: readonly ValuePoint[], factors: readonly Dec[], profits: Profits) {
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
 * Each symbol's profit between the points: shares at a point are today's less all later changes. Shares that came or
 * went without a trade are flows at that day's close (GIPS), unless they turned into others. A symbol without closes
 * is left out, and so part of the rest. @param closes raw prices by symbol, oldest first
 */
export function profitsBySymbol(
  points: readonly Pick<ValuePoint, 'at'>[],
  positions: readonly Position[],
  activities: readonly Activity[],
  closes: ReadonlyMap<string, readonly AdjustedClose[]>,
): Profits {
  const ends = points.map(({ at }) => at);
  const last = ends.length - 1;
  const pointOf = (at: number) => {
    let [low, high] = [0, last + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] as number) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  const held = new Map(positions.map((position) => [position.symbol, position]));
  const changes = changesBySymbol(activities);
  const result = new Map<string, Dec[]>();
  for (const [symbol, prices] of closes) {
    const priceAt = closesAt(ends, prices, unitsOf(symbol));
    /** By the point that ends the stretch: shares that came, and dollars that came of them. */
    const shares = ends.map(() => ZERO);
    const cash = ends.map(() => ZERO);
    for (const change of changes.get(symbol) ?? []) {
      const point = pointOf(change.at);
      if (point > last) continue;
      const paid = change.moved ? change.shares.mul(priceAt[point] ?? ZERO).neg() : change.cash;
      shares[point] = (shares[point] as Dec).plus(change.shares);
      cash[point] = (cash[point] as Dec).plus(paid);
    }
    const position = held.get(symbol);
    let qty = position === undefined ? ZERO : signedQty(position);
    let after = position === undefined ? ZERO : new Dec(position.market_value);
    const made: Dec[] = [];
    for (let point = last; point > 0; point--) {
      qty = qty.minus(shares[point] as Dec);
      const before = qty.isZero() ? ZERO : qty.mul(priceAt[point - 1] ?? ZERO);
      made.push(after.minus(before).plus(cash[point] as Dec));
      after = before;
    }
    result.set(symbol, made.reverse());
  }
  return result;
}

interface Change {
  readonly at: number;
  readonly shares: Dec;
  readonly cash: Dec;
  /** Shares that came or went for nothing: at market value, they are flows. */
  readonly moved: boolean;
}

function changesBySymbol(activities: readonly Activity[]): Map<string, Change[]> {
  const changes = new Map<string, Change[]>();
  const put = (symbol: string, change: Change) => {
    const known = changes.get(symbol);
    if (known === undefined) changes.set(symbol, [change]);
    else known.push(change);
  };
  for (const { symbol, side, qty, price, at } of fillsOf(activities)) {
    const bought = side === 'buy' ? qty : qty.neg();
    put(symbol, { at, shares: bought, cash: bought.mul(price).neg(), moved: false });
  }
  for (const { legs, at, turns, cash } of exchangesOf(activities)) {
    for (const [index, { symbol, qty }] of legs.entries())
      put(symbol, { at, shares: qty, cash: index === 0 ? cash : ZERO, moved: !turns });
  }
  for (const { kind, symbol, amount, at } of activities) {
    if (kind === 'dividend' && symbol !== null && amount !== null)
      put(symbol, { at: Date.parse(at), shares: ZERO, cash: new Dec(amount), moved: false });
  }
  return changes;
}

/** The last close at each point's day or before. */
function closesAt(
  ends: readonly number[],
  closes: readonly AdjustedClose[],
  units: number,
): (Dec | undefined)[] {
  let next = 0;
  return ends.map((at) => {
    const day = newYorkDate(at);
    while (next < closes.length && (closes[next] as AdjustedClose).date <= day) next++;
    const close = closes[next - 1]?.close;
    return close === undefined ? undefined : new Dec(close).mul(units);
  });
}

const sum = (values: readonly Dec[]): Dec => values.reduce((total, value) => total.plus(value), ZERO);
