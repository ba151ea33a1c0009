import type { Activity } from '../activity.ts';
import { unitsOf } from '../asset-class.ts';
import { type Dec, signedQty, ZERO } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import { lotHistory } from './closings.ts';

export interface TaxLot {
  /** Of a short, when it was sold. */
  readonly acquired: IsoDate;
  /** Negative, like cost and value, for shares sold short. */
  readonly qty: Dec;
  readonly cost: Dec;
  readonly value: Dec;
  readonly gain: Dec;
  readonly term: 'short' | 'long';
  /** The first day on which a sale is long-term; undefined for a short, whose cover never is (IRS Publication 550). */
  readonly longTermFrom: IsoDate | undefined;
}

export interface PositionLots {
  readonly symbol: string;
  /** Oldest first: a sale takes them in this order (first in, first out). */
  readonly lots: readonly TaxLot[];
  /** Shares held without a known purchase; negative if the activities know of more than is held. */
  readonly unknown: Dec;
  /** Whether the lots are all there is to know: their shares are those held, and nothing made their cost uncertain. */
  readonly complete: boolean;
}

/**
 * The first day on which a sale is long-term: shares are held from the day after the purchase, for more than a year.
 * Source: IRS Publication 550, "Holding Period"; Revenue Ruling 66-7 for the last day of a month.
 */
export function longTermFrom(acquired: IsoDate): IsoDate {
  const [year = 0, month = 1, day = 1] = addDays(acquired, 1).split('-').map(Number);
  return new Date(Date.UTC(year + 1, month - 1, day)).toISOString().slice(0, 10);
}

export function taxLots(
  activities: readonly Activity[],
  positions: readonly Position[],
  now: number,
): PositionLots[] {
  const { open, incomplete } = lotHistory(activities, 'fifo');
  const today = newYorkDate(now);
  return positions.map(({ symbol, side, qty, current_price }) => {
    const { long = [], short = [] } = open.get(symbol) ?? {};
    const owed = short.map((lot) => ({ ...lot, qty: lot.qty.neg(), amount: lot.amount?.neg() }));
    const lots = [...long, ...owed].flatMap(({ at, qty, amount: cost, tacked = 0 }): TaxLot[] => {
      if (at === undefined || cost === undefined) return [];
      const acquired = newYorkDate(at);
      const value = qty.mul(current_price).mul(unitsOf(symbol));
      // What is owed is never held: a cover's gain is short-term, however long it took.
      const from = qty.isNegative() ? undefined : longTermFrom(addDays(acquired, -tacked));
      const term = from !== undefined && today >= from ? 'long' : 'short';
      return [{ acquired, qty, cost, value, gain: value.minus(cost), term, longTermFrom: from }];
    });
    const unknown = signedQty({ side, qty }).minus(lots.reduce((sum, lot) => sum.plus(lot.qty), ZERO));
    return { symbol, lots, unknown, complete: unknown.isZero() && !incomplete.includes(symbol) };
  });
}
