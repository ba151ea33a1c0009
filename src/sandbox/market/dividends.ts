import { Dec } from '../../trading/decimal.ts';
import type { Sessions } from '../../trading/trading-calendar.ts';
import type { ActionOf } from './corporate-action.ts';
import { addDays, type IsoDate, isoDate } from './new-york-time.ts';
import { hashText, uniform } from './price-path.ts';
import type { ListedSymbol } from './symbols.ts';

/** Of the companies, so many pay a dividend each quarter. */
const PAYING = 0.6;
/** Days from the day the shares trade without it to the day it is paid. */
const PAID_AFTER = 21;

/**
 * The cash dividends that a company pays from one day to another, both included, the earliest first: by the market's
 * seed alone, for years ahead and back.
 */
export function seededDividends(
  seed: string,
  { symbol, snapshotPrice }: ListedSymbol,
  sessions: Sessions,
  start: IsoDate,
  end: IsoDate,
): ActionOf<'cash_dividend'>[] {
  const key = hashText(`dividends\n${seed}\n${symbol}`);
  if (uniform(key, 1, 0) >= PAYING) return [];
  const quarterly = new Dec(snapshotPrice).times(2 + Math.floor(uniform(key, 2, 0) * 6)).div(1000);
  const rate = Dec.max(quarterly.toDecimalPlaces(2), '0.01').toFixed();
  const offset = Math.floor(uniform(key, 3, 0) * 3);
  const day = 1 + Math.floor(uniform(key, 4, 0) * 24);
  const found: ActionOf<'cash_dividend'>[] = [];
  // From a quarter before, since what is paid was ex weeks earlier.
  const from = new Date(`${addDays(start, -120)}T00:00:00Z`);
  for (let month = 0; ; month += 1) {
    const first = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + month, day));
    const date = isoDate(first.getTime());
    if (date > end) return found;
    if (first.getUTCMonth() % 3 !== offset) continue;
    const ex_date = sessions.from(date).date;
    const payable_date = sessions.from(addDays(ex_date, PAID_AFTER)).date;
    if (payable_date >= start && payable_date <= end)
      found.push({ kind: 'cash_dividend', symbol, rate, special: false, ex_date, payable_date });
  }
}
