import { Dec } from '../../trading/decimal.ts';
import type { Market } from './market.ts';
import { addDays, type IsoDate, isoDate } from './new-york-time.ts';
import { hashText, uniform } from './price-path.ts';

/** Of the companies, so many pay a dividend each quarter. */
const PAYING = 0.6;
/** Days from the day the shares trade without it to the day it is paid. */
const PAID_AFTER = 21;

/** A cash dividend. Announced for years ahead and back; the sandbox's accounts are paid none. */
export interface Dividend {
  readonly symbol: string;
  /** Dollars a share. */
  readonly rate: string;
  readonly exDate: IsoDate;
  readonly payableDate: IsoDate;
}

/**
 * The dividends that are paid from one day to another, both included, the earliest first: by the market's seed alone.
 * @param symbols those that aren't listed are left out
 */
export function dividends(
  market: Market,
  symbols: readonly string[],
  start: IsoDate,
  end: IsoDate,
): Dividend[] {
  return symbols
    .flatMap((symbol) => ofSymbol(market, symbol, start, end))
    .sort((a, b) => `${a.payableDate} ${a.symbol}`.localeCompare(`${b.payableDate} ${b.symbol}`));
}

function ofSymbol(market: Market, symbol: string, start: IsoDate, end: IsoDate): Dividend[] {
  const listed = market.symbol(symbol);
  const key = hashText(`dividends\n${market.seed}\n${symbol}`);
  if (listed === undefined || uniform(key, 1, 0) >= PAYING) return [];
  const quarterly = new Dec(listed.snapshotPrice).times(2 + Math.floor(uniform(key, 2, 0) * 6)).div(1000);
  const rate = Dec.max(quarterly.toDecimalPlaces(2), '0.01').toFixed();
  const offset = Math.floor(uniform(key, 3, 0) * 3);
  const day = 1 + Math.floor(uniform(key, 4, 0) * 24);
  const found: Dividend[] = [];
  // From a quarter before, since what is paid was ex weeks earlier.
  const from = new Date(`${addDays(start, -120)}T00:00:00Z`);
  for (let month = 0; ; month += 1) {
    const first = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + month, day));
    const date = isoDate(first.getTime());
    if (date > end) return found;
    if (first.getUTCMonth() % 3 !== offset) continue;
    const exDate = sessionOn(market, date);
    const payableDate = sessionOn(market, addDays(exDate, PAID_AFTER));
    if (payableDate >= start && payableDate <= end) found.push({ symbol, rate, exDate, payableDate });
  }
}

/** The first day of trading from a date on; there is one in ten days. */
function sessionOn(market: Market, date: IsoDate): IsoDate {
  return market.sessions(date, addDays(date, 10))[0]?.date ?? date;
}
