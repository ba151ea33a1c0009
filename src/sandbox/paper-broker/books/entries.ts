import type { LedgerEntryRecord } from '../../../store/sandbox/records.ts';
import { type IsoDate, newYorkInstant } from '../../../trading/new-york-time.ts';

/**
 * Posting time in New York. Alpaca posts cash, journals and transfers after it computes the day's equity at 16:00, on
 * the next day in UTC (Trading API, "activities").
 */
const BOOKING_TIME = '20:30';

export function bookingTime(date: IsoDate): number {
  return newYorkInstant(date, BOOKING_TIME);
}

export function createEntry(
  known: Pick<LedgerEntryRecord, 'account_id' | 'type' | 'date'> & Partial<LedgerEntryRecord>,
): LedgerEntryRecord {
  return {
    sub_type: null,
    at: bookingTime(known.date),
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
