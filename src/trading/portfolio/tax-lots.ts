import type { Activity } from '../activity.ts';
import { contractMultiplier } from '../asset-class.ts';
import { type Dec, signedQty, ZERO } from '../decimal.ts';
import { addDays, type IsoDate, newYorkDate } from '../new-york-time.ts';
import type { Position } from '../views.ts';
import { lotHistory } from './lot-history-replay.ts';

export interface TaxLot {
  /** Day of purchase or, for a short position, of sale. */
  readonly acquired: IsoDate;
  /** Number of shares. Negative for shares sold short, as are `cost` and `value`. */
  readonly qty: Dec;
  readonly cost: Dec;
  readonly value: Dec;
  readonly gain: Dec;
  readonly term: 'short' | 'long';
  /** First day when a sale is long-term. Undefined for short positions, which are short-term (IRS Publication 550). */
  readonly longTermFrom: IsoDate | undefined;
}

export interface PositionLots {
  readonly symbol: string;
  /** Oldest first: a sale takes the oldest lot first (first in, first out). */
  readonly lots: readonly TaxLot[];
  /** Shares held without a known purchase. Negative if the activities add up to more shares than are held. */
  readonly unknown: Dec;
  readonly complete: boolean;
}

/**
 * Returns the first day on which a sale is long-term. The holding period starts the day after the purchase and must be
 * over a year. Source: IRS Publication 550, "Holding Period"; Revenue Ruling 66-7 for the last day of a month.
 */
export function longTermFrom(acquired: IsoDate): IsoDate {
  const [year = 0, month = 1, day = 1] = addDays(acquired, 1).split('-').map(Number);
  return new Date(Date.UTC(year + 1, month - 1, day)).toISOString().slice(0, 10);
}

export function computeTaxLots(
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
      const value = qty.mul(current_price).mul(contractMultiplier(symbol));
      // Covering a short is always short-term, because the shares owed are never held.
      const from = qty.isNegative() ? undefined : longTermFrom(addDays(acquired, -tacked));
      const term = from !== undefined && today >= from ? 'long' : 'short';
      return [{ acquired, qty, cost, value, gain: value.minus(cost), term, longTermFrom: from }];
    });
    const unknown = signedQty({ side, qty }).minus(lots.reduce((sum, lot) => sum.plus(lot.qty), ZERO));
    return { symbol, lots, unknown, complete: unknown.isZero() && !incomplete.includes(symbol) };
  });
}
