import type { Clock } from '../../machine/clock.ts';
import { Dec, decimal, isOnTick, price } from '../../trading/decimal.ts';
import { type BarRequest, bars, type MarketBar } from './bars.ts';
import { createMarketTimes, type MarketTimes, tradingTime } from './market-times.ts';
import { type PricePath, pricePath } from './price-path.ts';
import { type ListedSymbol, listedSymbols } from './symbols.ts';
import type { MarketHours } from './trading-calendar.ts';

export interface MarketOptions {
  /** The same seed gives the same prices, always and everywhere. */
  seed: string;
  clock: Clock;
  hours: MarketHours;
  /** Instead of the packaged symbols. */
  symbols?: readonly ListedSymbol[];
}

/** Prices are decimal strings on the tick, dollars a share; times are milliseconds since the epoch. */
export interface MarketQuote {
  symbol: string;
  bid: string;
  ask: string;
  /** The last trade. Between bid and ask. */
  last: string;
  /** Shares. */
  bidSize: number;
  askSize: number;
  at: number;
}

/** A simulated market of real symbols: a seeded random walk around each one's snapshot price. */
export interface Market extends MarketTimes {
  readonly seed: string;
  symbol(symbol: string): ListedSymbol | undefined;
  symbols(): readonly ListedSymbol[];
  /** The quote at an instant (default now); outside trading hours, the one at the last close. Undefined: no such symbol. */
  quote(symbol: string, at?: number): MarketQuote | undefined;
  /** The last price at `previousClosing`. */
  previousClose(symbol: string, at?: number): string | undefined;
  /** Oldest first; undefined: no such symbol. */
  bars(symbol: string, request: BarRequest): MarketBar[] | undefined;
  /**
   * Holds a symbol at a price from now on, or lets it go again with undefined. For tests and demonstrations.
   * @throws {RangeError} on an unknown symbol or a price that is no positive decimal on the tick
   */
  setPrice(symbol: string, price: string | undefined): void;
}

export function createMarket(options: MarketOptions): Market {
  const { seed, clock, hours } = options;
  const listed: ReadonlyMap<string, ListedSymbol> =
    options.symbols === undefined
      ? listedSymbols()
      : new Map(options.symbols.map((symbol) => [symbol.symbol, symbol]));
  const paths = new Map<string, PricePath>();
  const held = new Map<string, { price: string; since: number }>();

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

  const lastPrice = (symbol: string, path: PricePath, at: number): string => {
    const hold = held.get(symbol);
    if (hold !== undefined && at >= hold.since) return hold.price;
    const raw = path.at(tradingTime(at, hours));
    return price(new Dec(Math.max(raw, 0.0001)));
  };

  const times = createMarketTimes(hours, () => clock.now());
  return {
    ...times,
    seed,
    symbol: (symbol) => listed.get(symbol),
    symbols: () => [...listed.values()],
    quote(symbol, at = clock.now()) {
      const path = pathOf(symbol);
      if (path === undefined) return undefined;
      const last = lastPrice(symbol, path, at);
      return { symbol, last, ...spread(last), ...sizes(path, at), at: tradingTime(at, hours) };
    },
    previousClose(symbol, at) {
      const path = pathOf(symbol);
      return path === undefined ? undefined : lastPrice(symbol, path, times.previousClosing(at));
    },
    bars(symbol, request) {
      const path = pathOf(symbol);
      if (path === undefined) return undefined;
      return bars(request, {
        hours,
        now: clock.now(),
        last: (at) => lastPrice(symbol, path, at),
        volume: path.volume,
      });
    },
    setPrice(symbol, fixed) {
      if (!listed.has(symbol)) throw new RangeError(`no such symbol: ${JSON.stringify(symbol)}`);
      if (fixed === undefined) {
        held.delete(symbol);
        return;
      }
      if (decimal(fixed).lte(0) || !isOnTick(fixed)) throw new RangeError(`not a price: ${fixed}`);
      held.set(symbol, { price: price(fixed), since: clock.now() });
    },
  };
}

/** About one basis point, at least one tick wide, around the last price. */
function spread(last: string): { bid: string; ask: string } {
  const mid = new Dec(last);
  const tick = new Dec(mid.gte(1) ? '0.01' : '0.0001');
  const ticks = Dec.max(1, mid.times('0.0001').div(tick).round());
  const bid = Dec.max(mid.minus(ticks.divToInt(2).times(tick)), new Dec('0.0001'));
  const ask = Dec.max(mid, bid).plus(ticks.minus(ticks.divToInt(2)).times(tick));
  return { bid: price(bid), ask: price(ask) };
}

function sizes(path: PricePath, at: number): { bidSize: number; askSize: number } {
  const round = (shares: number) => 100 * Math.max(1, Math.round(shares / 100) % 20);
  return { bidSize: round(path.volume(at, 3_600_000)), askSize: round(path.volume(at + 60_000, 3_600_000)) };
}
