import { Dec } from '../../trading/decimal.ts';
import { calendarSessions, type MarketHours } from '../../trading/trading-calendar.ts';
import { seededDividends } from './dividends.ts';
import { DAY } from './new-york-time.ts';
import { type PricePath, pricePath } from './price-path.ts';
import { type ListedSymbol, listedSymbols } from './symbols.ts';
import type { Tape } from './tape.ts';

/** How many looks at the price a bar's high and low come from. */
const LOOKS = 16;
const SESSION_HOURS = 6.5;

/**
 * A seeded random walk around each symbol's snapshot price. The same seed gives the same prices, always and everywhere.
 * @param symbols instead of the packaged ones
 */
export function walk(seed: string, hours: MarketHours, symbols?: readonly ListedSymbol[]): Tape {
  const listed: ReadonlyMap<string, ListedSymbol> =
    symbols === undefined ? listedSymbols() : new Map(symbols.map((symbol) => [symbol.symbol, symbol]));
  const sessions = calendarSessions(hours);
  const paths = new Map<string, PricePath>();
  const pathOf = (symbol: string): PricePath | undefined => {
    const known = listed.get(symbol);
    if (known === undefined) return undefined;
    let path = paths.get(symbol);
    if (path === undefined) {
      path = pricePath(seed, symbol, known.snapshotPrice);
      paths.set(symbol, path);
    }
    return path;
  };
  // A day's shares change hands while the market is open.
  const busier = hours === 'always' ? 1 : DAY / (SESSION_HOURS * 3_600_000);

  return {
    sessions,
    symbol: (symbol) => listed.get(symbol),
    symbols: () => [...listed.values()],
    last(symbol, at) {
      const path = pathOf(symbol);
      if (path === undefined) return undefined;
      return { price: new Dec(Math.max(path.at(at), 0.0001)), since: Number.NEGATIVE_INFINITY };
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
