import type { Activity, ClosingPriceLookup, TradingDay } from '../trading/activity.ts';
import type { AdjustedClose } from '../trading/portfolio/benchmark.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';
import type { DatedEquityAt } from '../trading/portfolio/returns.ts';
import type { Account, MarketClock, Order, Position, Quote } from '../trading/views.ts';

export interface MissingPrice {
  readonly symbol: string;
  readonly code: 'unknown_symbol' | 'price_unavailable';
}

/** Everything a check reads; the rules are a pure function of it. */
export interface Snapshot {
  /** The broker's time in epoch milliseconds, since this machine's clock may be wrong. */
  readonly now: number;
  readonly account: Account;
  readonly positions: readonly Position[];
  readonly openOrders: readonly Order[] | undefined;
  readonly clock: MarketClock;
  readonly calendar: readonly TradingDay[];
  readonly quotes: ReadonlyMap<string, Quote>;
  readonly noPrice: readonly MissingPrice[];
  /** Closing prices without the current session. */
  readonly closes: ReadonlyMap<string, PriceHistory>;
  readonly history: readonly DatedEquityAt[];
  readonly activities: readonly Activity[] | undefined;
  /** Values of transferred shares that were booked without one. */
  readonly priceOn?: ClosingPriceLookup;
  readonly benchmark?: { readonly symbol: string; readonly closes: readonly AdjustedClose[] };
  readonly notes: readonly string[];
}
