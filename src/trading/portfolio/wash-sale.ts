import { type Activity, exchangesOf, fillsOf } from '../activity.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate } from '../new-york-time.ts';
import { type Fill, type Lot, oldestShares, tradingResults } from './lots.ts';

/** Days before the sale, and after it: with its own day 61. */
const WINDOW_DAYS = 30;

/** Shares bought near a sale, other than those sold. */
export interface NearPurchase {
  readonly date: IsoDate;
  readonly qty: Dec;
  /** Dollars a share. */
  readonly price: Dec;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A sale as the wash-sale rule sees it, by one account's own trades. Dollars, shares, days in New York. */
export interface WashSale {
  readonly date: IsoDate;
  readonly qty: Dec;
  /** Dollars a share. */
  readonly price: Dec;
  /** The first and the last day on which a purchase counts. */
  readonly begins: IsoDate;
  readonly ends: IsoDate;
  /** Less than nothing is a loss; of the shares whose cost is known. */
  readonly gain: Dec;
  /** Shares sold at a loss, and dollars of it: lot by lot, whatever the sale as a whole made. */
  readonly lossQty: Dec;
  readonly loss: Dec;
  /** Shares sold whose cost is not known. */
  readonly unknown: Dec;
  /** Bought within the window, oldest first. */
  readonly purchases: readonly NearPurchase[];
  /** Shares at a loss for which others were bought within the window, and the dollars of loss that are theirs. */
  readonly affectedQty: Dec;
  readonly affectedLoss: Dec;
  /** The same shares by lot, for each that was taken, in their order. */
  readonly affectedByLot: readonly Dec[];
  /** Whether shares came or went otherwise within the window (a split, a transfer): the counts may then not match. */
  readonly unclear: boolean;
}

export interface Sale {
  readonly symbol: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly qty: Dec;
  readonly price: Dec;
}

/**
 * Whether shares of the same symbol were bought within 30 days before or after a sale, and how much of its loss that
 * concerns. The lots are taken first in, first out; of several at a loss the one acquired first is matched first, with
 * what was bought first. The shares sold don't count, nor does the rest of a lot for a loss on its other part (Revenue
 * Ruling 56-602). Source: 26 U.S.C. § 1091(a); 26 CFR 1.1091-1(a) to (d); IRS Publication 550, "Wash Sales".
 * @param lots what was held before the sale, oldest first
 * @param used shares bought, by the instant of the purchase, that earlier sales were matched with: each counts once. This
 *   sale's are added
 */
export function washSale(
  sale: Sale,
  lots: readonly Lot[],
  activities: readonly Activity[],
  used: Map<number, Dec> = new Map(),
): WashSale {
  const date = newYorkDate(sale.at);
  const begins = addDays(date, -WINDOW_DAYS);
  const ends = addDays(date, WINDOW_DAYS);
  const isNear = (at: number) => {
    const day = newYorkDate(at);
    return day >= begins && day <= ends;
  };
  const taken = oldestShares(lots, sale.qty).map((lot) => ({
    ...lot,
    gain: lot.qty.mul(sale.price).minus(lot.cost),
  }));
  const losing = taken.filter(({ gain }) => gain.isNegative() && !gain.isZero());
  const bought = fillsOf(activities).filter(
    ({ symbol, side, at }) => symbol === sale.symbol && side === 'buy' && isNear(at),
  );
  const purchases = withoutSold(bought, taken, used);
  return {
    date,
    qty: sale.qty,
    price: sale.price,
    begins,
    ends,
    gain: taken.reduce((sum, { gain }) => sum.plus(gain), ZERO),
    lossQty: losing.reduce((sum, { qty }) => sum.plus(qty), ZERO),
    loss: losing.reduce((sum, { gain }) => sum.minus(gain), ZERO),
    unknown: sale.qty.minus(taken.reduce((sum, { qty }) => sum.plus(qty), ZERO)),
    purchases,
    ...affected(taken, purchases, used),
    unclear: exchangesOf(activities).some(
      ({ at, legs }) => isNear(at) && legs.some(({ symbol }) => symbol === sale.symbol),
    ),
  };
}

/** The sales of a symbol in the 30 days up to now that made a loss, newest first. */
export function recentLosses(symbol: string, activities: readonly Activity[], now: number): WashSale[] {
  const since = addDays(newYorkDate(now), -WINDOW_DAYS);
  const fills = [...fillsOf(activities)].sort((a, b) => a.at - b.at);
  const exchanges = exchangesOf(activities);
  return fills
    .flatMap((fill, index) => {
      if (fill.symbol !== symbol || fill.side !== 'sell' || newYorkDate(fill.at) < since) return [];
      const before = tradingResults(
        fills.slice(0, index),
        'fifo',
        exchanges.filter(({ at }) => at <= fill.at),
      );
      const sold = washSale(fill, before.get(symbol)?.lots ?? [], activities);
      return isPositive(sold.lossQty) ? [sold] : [];
    })
    .reverse();
}

/** What was bought, less the shares that the sale itself takes, and those that earlier sales were matched with. */
function withoutSold(
  bought: readonly Fill[],
  taken: readonly Lot[],
  used: ReadonlyMap<number, Dec>,
): NearPurchase[] {
  const sold = new Map(used);
  for (const { at, qty } of taken) sold.set(at, (sold.get(at) ?? ZERO).plus(qty));
  return [...bought]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at, qty, price }) => {
      const gone = Dec.min(qty, sold.get(at) ?? ZERO);
      sold.set(at, (sold.get(at) ?? ZERO).minus(gone));
      const rest = qty.minus(gone);
      return isPositive(rest) ? [{ date: newYorkDate(at), qty: rest, price, at }] : [];
    });
}

/** Of the lots at a loss, oldest first, what others were bought for. */
function affected(
  taken: readonly (Lot & { readonly gain: Dec })[],
  purchases: readonly NearPurchase[],
  used: Map<number, Dec>,
): Pick<WashSale, 'affectedQty' | 'affectedLoss' | 'affectedByLot'> {
  const left = purchases.map(({ at, qty }) => ({ at, qty }));
  let affectedLoss: Dec = ZERO;
  const affectedByLot = taken.map(({ at, qty, gain }) => {
    let matched: Dec = ZERO;
    if (!gain.isNegative() || gain.isZero()) return matched;
    for (const other of left) {
      if (other.at === at) continue;
      const part = Dec.min(other.qty, qty.minus(matched));
      other.qty = other.qty.minus(part);
      matched = matched.plus(part);
      if (isPositive(part)) used.set(other.at, (used.get(other.at) ?? ZERO).plus(part));
    }
    affectedLoss = affectedLoss.plus(matched.eq(qty) ? gain.neg() : gain.neg().mul(matched).div(qty));
    return matched;
  });
  const affectedQty = affectedByLot.reduce((sum, qty) => sum.plus(qty), ZERO);
  return { affectedQty, affectedLoss, affectedByLot };
}
