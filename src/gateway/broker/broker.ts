import type { Activity, TradingDay } from '../../trading/activity.ts';
import type { ReplaceSubject } from '../../trading/kinds/replace.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Account, Bar, MarketClock, Order, Position, Quote } from '../../trading/views.ts';

/** A security as the broker knows it. */
export interface Asset {
  readonly symbol: string;
  readonly name: string;
  readonly tradable: boolean;
  readonly fractionable: boolean;
}

export interface OrderQuery {
  readonly status: 'open' | 'closed' | 'all';
  readonly limit: number;
  readonly symbols: readonly string[];
}

export interface BarQuery {
  readonly symbol: string;
  readonly timeframe: '1Day' | '1Hour' | '1Min';
  readonly start: Date;
  readonly end: Date;
  /** The newest bars are kept when there are more. */
  readonly limit: number;
}

export interface PortfolioHistoryQuery {
  /** A number and D, W, M or A: `1M`. */
  readonly period: string;
  readonly timeframe: string | undefined;
}

/** Dates, both included. */
export interface CalendarQuery {
  readonly start: string;
  readonly end: string;
}

export interface ActivityQuery {
  /** Only what happened after it. */
  readonly after: Date | undefined;
  /** `next_page` of the page before. */
  readonly page: string | undefined;
}

/** Newest first. */
export interface ActivityPage {
  readonly activities: readonly Activity[];
  /** Asks for the page after; null on the last. */
  readonly next_page: string | null;
}

/** Equity over time; dollars, `profit_loss_pct` a fraction. */
export interface PortfolioHistory {
  readonly timeframe: string;
  readonly base_value: string;
  readonly points: readonly {
    readonly at: string;
    readonly equity: string;
    readonly profit_loss: string;
    readonly profit_loss_pct: string;
  }[];
}

/**
 * What the broker said to an order. The three that aren't `accepted` differ in what may follow, so they are never
 * thrown: `refused` and `not_taken` say that no order came of this request, `unknown` says nothing at all.
 */
export type Submission =
  | { readonly outcome: 'accepted'; readonly order: Order }
  /** A definite no to this very order. */
  | {
      readonly outcome: 'refused';
      readonly reason: 'insufficient_funds' | 'duplicate' | 'not_replaceable' | 'other';
      /** The broker's own words, for the person; no part of any decision. */
      readonly message: string;
      readonly brokerCode: string | undefined;
    }
  /** A definite no to the request (rate limit, broken session), not to the order: it may be sent again. */
  | { readonly outcome: 'not_taken'; readonly reason: 'rate_limited' | 'unauthorized' }
  /** Time-out, dropped connection, 5xx, unreadable answer: taken or not, nobody knows. */
  | { readonly outcome: 'unknown' };

/** What of an open order becomes another, and the new order's own id. */
export interface Replacement {
  readonly client_order_id: string;
  readonly changes: ReplaceSubject['changes'];
}

export type Cancellation = 'requested' | 'not_found' | 'not_cancelable';

/**
 * One user's account at a broker. Reads throw a `Refusal` (502 `broker_unavailable`, `broker_invalid_response`, 504
 * `broker_timeout`, …) and find nothing as `undefined`; nothing here is ever sent twice.
 */
export interface Broker {
  account(): Promise<Account>;
  positions(): Promise<Position[]>;
  orders(query: OrderQuery): Promise<Order[]>;
  order(id: string): Promise<Order | undefined>;
  /** A miss right after a submission is no proof that the order wasn't taken. */
  orderByClientOrderId(clientOrderId: string): Promise<Order | undefined>;
  asset(symbol: string): Promise<Asset | undefined>;
  /** Only the symbols the broker has a price for. */
  quotes(symbols: readonly string[]): Promise<Quote[]>;
  bars(query: BarQuery): Promise<Bar[]>;
  clock(): Promise<MarketClock>;
  /** The trading days of a stretch, half-days with their early closing. */
  calendar(query: CalendarQuery): Promise<TradingDay[]>;
  /** Fills, deposits, dividends and the like, a page at a time. */
  activities(query: ActivityQuery): Promise<ActivityPage>;
  portfolioHistory(query: PortfolioHistoryQuery): Promise<PortfolioHistory>;
  /** Sends the order in its bounded form (`boundedOrder`). One request, never retried, never thrown. */
  submit(draft: OrderDraft): Promise<Submission>;
  /**
   * Puts an order in place of an open one. One request, never retried, never thrown; the new order has an id and a
   * client_order_id of its own, which is taken once. `not_replaceable`: the earlier order is gone, or takes no changes.
   */
  replace(orderId: string, replacement: Replacement): Promise<Submission>;
  cancel(id: string): Promise<Cancellation>;
}

/** Opens the account that an access token of the broker's stands for; `onUnauthorized` when the broker refuses it. */
export type ConnectBroker = (accessToken: string, onUnauthorized: () => void) => Broker;
