import type { EntryRecord } from '../../../store/sandbox/records.ts';
import { type IsoDate, newYorkInstant } from '../../../trading/new-york-time.ts';

/**
 * Alpaca books money, journals and transfers after the day's equity was struck at 16:00, so late that in UTC it is the
 * day after (Trading API, "activities": the creation date is "typically the day after the trade date (in UTC)").
 */
const BOOKED = '20:30';

/** When what happened on a day is booked, milliseconds since the epoch. */
export function bookedAt(date: IsoDate): number {
  return newYorkInstant(date, BOOKED);
}

/** An entry of which only so much is to be said; booked as {@link bookedAt} says unless it names another time. */
export function entryOf(
  known: Pick<EntryRecord, 'account_id' | 'type' | 'date'> & Partial<EntryRecord>,
): EntryRecord {
  return {
    sub_type: null,
    at: bookedAt(known.date),
    symbol: null,
    qty: null,
    cost: null,
    amount: null,
    entitled: null,
    per_share: null,
    group_id: null,
    ...known,
  };
}
