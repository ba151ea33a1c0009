import type { Activity, PriceOn, TradingDay } from '../trading/activity.ts';
import type { AdjustedClose } from '../trading/portfolio/benchmark.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';
import type { DatedEquityAt } from '../trading/portfolio/returns.ts';
import type { Account, MarketClock, Order, Position, Quote } from '../trading/views.ts';

/** Why there is no price of a symbol. */
export interface NoPrice {
  readonly symbol: string;
  readonly code: 'unknown_symbol' | 'price_unavailable';
}

/** Everything a check looks at, read once: the rules are then a pure function of it. */
export interface Snapshot {
  /** The broker's time, milliseconds since the epoch: this machine's clock may be wrong. */
  readonly now: number;
  readonly account: Account;
  readonly positions: readonly Position[];
  /** Undefined where they can't be had: nothing is suggested then. */
  readonly openOrders: readonly Order[] | undefined;
  readonly clock: MarketClock;
  /** Trading days from today on. */
  readonly calendar: readonly TradingDay[];
  /** Of the symbols the rules need. */
  readonly quotes: ReadonlyMap<string, Quote>;
  readonly noPrice: readonly NoPrice[];
  /** Of the symbols whose moves over several sessions are looked at; without the session under way. */
  readonly closes: ReadonlyMap<string, PriceHistory>;
  /** Value at the end of each day, oldest first; a day that the broker tells none of is not there. */
  readonly history: readonly DatedEquityAt[];
  /** Oldest first. Undefined where they can't be had: then flows are not known. */
  readonly activities: readonly Activity[] | undefined;
  /** What shares moved in or out were worth then, where that was not booked with them. */
  readonly priceOn?: PriceOn;
  /** Of the benchmark that the rules name, where they name one and its prices can be had. */
  readonly benchmark?: { readonly symbol: string; readonly closes: readonly AdjustedClose[] };
  /** What the person should know about how this was read. */
  readonly notes: readonly string[];
}
