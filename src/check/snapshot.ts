import type { Activity, ClosingPriceLookup, TradingDay } from '../trading/activity.ts';
import type { AdjustedClose } from '../trading/portfolio/benchmark.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';
import type { TimedEquity } from '../trading/portfolio/returns.ts';
import type { Account, MarketClock, Order, Position, Quote } from '../trading/views.ts';

export interface MissingPrice {
  readonly symbol: string;
  readonly code: 'unknown_symbol' | 'price_unavailable';
}

/** All account and market data that a check reads. */
export interface Snapshot {
  /** The broker's time in epoch milliseconds. It is used because this machine's clock may be wrong. */
  readonly now: number;
  readonly account: Account;
  readonly positions: readonly Position[];
  readonly openOrders: readonly Order[] | undefined;
  readonly clock: MarketClock;
  readonly calendar: readonly TradingDay[];
  readonly quotes: ReadonlyMap<string, Quote>;
  readonly noPrice: readonly MissingPrice[];
  /** Closing prices by symbol, excluding the current session. */
  readonly closes: ReadonlyMap<string, PriceHistory>;
  readonly history: readonly TimedEquity[];
  readonly activities: readonly Activity[] | undefined;
  /** Returns prices of transferred shares that were recorded without a value. */
  readonly priceOn?: ClosingPriceLookup;
  readonly benchmark?: { readonly symbol: string; readonly closes: readonly AdjustedClose[] };
  readonly notes: readonly string[];
}
