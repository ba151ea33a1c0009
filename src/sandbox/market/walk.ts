import { Dec } from '../../trading/decimal.ts';
import { type ListedSymbol, listedSymbols } from '../../trading/listed-symbols.ts';
import { addDays, DAY, type IsoDate, isoDate } from '../../trading/new-york-time.ts';
import { calendarSessions, type MarketHours, type Sessions } from '../../trading/trading-calendar.ts';
import { oncePer } from '../../values/once-per.ts';
import type { ActionOf } from './corporate-action.ts';
import { hashText, pricePath, uniform } from './price-path.ts';
import type { Tape } from './tape.ts';

const LOOKS = 16;
const SESSION_HOURS = 6.5;

/**
 * A seeded random walk around each symbol's snapshot price, the same for the same seed. @param symbols replace the
 * packaged ones
 */
export function walk(seed: string, hours: MarketHours, symbols?: readonly ListedSymbol[]): Tape {
  const listed: ReadonlyMap<string, ListedSymbol> =
    symbols === undefined ? listedSymbols() : new Map(symbols.map((symbol) => [symbol.symbol, symbol]));
  const sessions = calendarSessions(hours);
  const path = oncePer(({ symbol, snapshotPrice }: ListedSymbol) => pricePath(seed, symbol, snapshotPrice));
  const pathOf = (symbol: string) => {
    const known = listed.get(symbol);
    return known && path(known);
  };
  const busier = hours === 'always' ? 1 : DAY / (SESSION_HOURS * 3_600_000);

  return {
    sessions,
    symbol: (symbol) => listed.get(symbol),
    symbols: () => [...listed.values()],
    last(symbol, at) {
      const price = pathOf(symbol)?.at(at);
      if (price === undefined) return undefined;
      return { price: new Dec(Math.max(price, 0.0001)), since: Number.NEGATIVE_INFINITY };
    },
    looks: (_symbol, from, to) =>
      Array.from({ length: LOOKS + 1 }, (_, i) => Math.round(from + ((to - from) * i) / LOOKS)),
    volume: (symbol, from, to) => pathOf(symbol)?.volume(from, Math.max(to - from, 1) * busier) ?? 0,
    actions: (symbol, start, end) => {
      const known = listed.get(symbol);
      return known === undefined ? [] : seededDividends(seed, known, sessions, start, end);
    },
  };
}

const PAYING = 0.6;
const PAID_AFTER = 21;

/** Cash dividends of a company from one day to another, earliest first, from the seed alone. */
function seededDividends(
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
  // Ex dates are weeks before the payment.
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
