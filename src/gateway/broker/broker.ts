import type { Activity, TradingDay } from '../../trading/activity.ts';
import type { ReplaceSubject } from '../../trading/kinds/replace.ts';
import type { ListedContract } from '../../trading/listed-contract.ts';
import type { Article, CorporateAction, Watchlist } from '../../trading/market-news.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Account, Asset, Bar, BarAdjustment, MarketClock, Order, Position, Quote } from '../../trading/views.ts';
import type { AccountCredentials } from './broker-credentials.ts';

export type { Asset };

export interface OrderQuery {
  readonly status: 'open' | 'closed' | 'all';
  readonly limit: number;
  readonly symbols: readonly string[];
  readonly until?: Date | undefined;
}

export interface BarQuery {
  readonly symbol: string;
  readonly timeframe: '1Day' | '1Hour' | '1Min';
  readonly start: Date;
  readonly end: Date;
  /** Maximum number of bars. If there are more, the newest are returned. */
  readonly limit: number;
  /** Default `split`. A broker rejects the query if it does not support the adjustment. */
  readonly adjustment?: BarAdjustment | undefined;
}

export interface PortfolioHistoryQuery {
  /** A number followed by D, W, M or A, such as `1M`. */
  readonly period: string;
  readonly timeframe: string | undefined;
}

/** A range of days. Both dates are inclusive. */
export interface CalendarQuery {
  readonly start: string;
  readonly end: string;
}

interface NewsQuery {
  /** If empty, the query is for the news of the whole market. */
  readonly symbols: readonly string[];
  readonly limit: number;
}

interface CorporateActionQuery extends CalendarQuery {
  readonly symbols: readonly string[];
  readonly limit: number;
}

export interface CorporateActions {
  /** Earliest first. */
  readonly actions: readonly CorporateAction[];
  readonly more: boolean;
}

interface OptionContractQuery {
  readonly underlying: string;
  readonly expires: { readonly from: string; readonly to: string };
  readonly right: ListedContract['right'] | undefined;
  /** Both prices are in dollars per share, and inclusive. */
  readonly strike: { readonly from?: string | undefined; readonly to?: string | undefined } | undefined;
  readonly limit: number;
}

interface OptionContracts {
  readonly contracts: readonly ListedContract[];
  readonly more: boolean;
}

export interface ActivityQuery {
  readonly after: Date | undefined;
  readonly page: string | undefined;
  readonly withoutFills?: boolean;
}

export interface ActivityPage {
  /** Newest first. */
  readonly activities: readonly Activity[];
  /** Token for the next page; null on the last page. */
  readonly next_page: string | null;
}

/** Equity over time, in dollars. Times for which no equity is known are left out. `profit_loss_pct` is a fraction. */
export interface PortfolioHistory {
  readonly timeframe: string;
  readonly base_value: string;
  readonly points: readonly {
    readonly at: string;
    readonly equity: string;
    readonly profit_loss: string;
    readonly profit_loss_pct: string;
    /** Net deposits since the previous point, in dollars. Absent if the broker does not report deposits. */
    readonly flow?: string;
  }[];
}

/** `refused` and `not_taken` prove that this request did not create an order. `unknown` proves nothing. */
export type SubmissionResult =
  | { readonly outcome: 'accepted'; readonly order: Order }
  | {
      readonly outcome: 'refused';
      readonly reason: 'insufficient_funds' | 'duplicate' | 'not_replaceable' | 'other';
      /** For display only. No decision depends on the message. */
      readonly message: string;
      readonly brokerCode: string | undefined;
    }
  /**
   * The broker rejected the request itself (rate limit, credentials) without a decision about the order, so the order
   * may be sent again.
   */
  | { readonly outcome: 'not_taken'; readonly reason: 'rate_limited' | 'unauthorized' }
  /** After a timeout, dropped connection, 5xx or unreadable response, the broker may have accepted the order. */
  | { readonly outcome: 'unknown' };

export interface OrderReplacement {
  /** The complete new order, with a new client_order_id. */
  readonly order: OrderDraft;
  /** Only the fields that differ from the earlier order. `trail` is the new trail_price or trail_percent. */
  readonly changes: ReplaceSubject['changes'];
}

/** A hint that an order may have changed. The order's state is then read from the broker. */
export interface TradeUpdate {
  /** The order's id and client_order_id, if they are known. */
  readonly ids: readonly string[];
}

export interface TradeUpdateListener {
  /** Called when listening begins. From then on, no update is missed until the connection ends. */
  live(): void;
  update(update: TradeUpdate): void;
}

export type CancellationResult = 'requested' | 'not_found' | 'not_cancelable';

/**
 * One user's account at a broker. The argument that one approval never becomes two orders (orders/order-submission.ts)
 * relies on these guarantees of every implementation. test/contract/broker/ tests them, and docs/adding/broker.md
 * explains how to write an implementation.
 *
 *  1. **One call sends at most one request** that changes anything, because a second request could trade twice.
 *     Neither the adapter nor its SDK retries, whatever the response. Reads that complete a response are allowed. If
 *     such a read fails after an order was sent, the outcome is `unknown`.
 *  2. **A client_order_id is accepted once**, even after its order is done: `submit` and `replace` report an ID that
 *     was used before as `refused` with reason `duplicate`. If the broker can't guarantee this, its traits say so
 *     (`clientOrderId.acceptedOnce`), and no order is sent a second time. IDs of 8–48 letters, digits, `_` and `-` are
 *     accepted, and returned unchanged.
 *  3. **An order can be looked up by this ID** after the broker's reads have caught up, whatever the order's state.
 *     `undefined` means that the broker itself reported that there is no such order; a proxy's error page makes the
 *     lookup throw. If lookups are limited (`clientOrderId.lookup`), `undefined` proves nothing.
 *  4. **`refused` and `not_taken` are proof** that this request created no order. Anything else is `unknown`: a
 *     timeout, a lost connection, a 5xx, a proxy's error page, an unreadable or unrelated 2xx.
 *  5. **An order is sent exactly as it is passed.** No field is rounded, defaulted or left out. A field that the broker
 *     can't express is an error, and nothing is sent. The order that is passed already has its bound (`boundedOrder`).
 *  6. **Reads throw only an `HttpProblem`** (502 `broker_unavailable`, `broker_invalid_response`, 504
 *     `broker_timeout`, 503 `broker_busy`, 409 `account_not_connected`) and return the views of trading/views.ts,
 *     because an incomplete response must not look like a $0 account. An account that can't trade is
 *     `trading_blocked`. Symbols are written `BRK.B`. Order IDs have up to 64 letters, digits and `-`. Page tokens have
 *     up to 128 of these characters or `:`, `_` and `.`.
 *  7. **Updates are only hints** (`tradeUpdates`), because only a read shows an order's state. Each call opens one
 *     connection, and the adapter never reopens the connection. A message that can't be read is reported as an update
 *     without IDs.
 *  8. **Rejected credentials are reported immediately** (`onUnauthorized` of {@link ConnectBroker}). No error contains
 *     credentials.
 *
 * @example
 * ```ts
 * import type { OrderDraft } from '../../trading/order.ts';
 * import type { Order } from '../../trading/views.ts';
 * import type { Broker } from './broker.ts';
 *
 * export async function place(broker: Broker, order: OrderDraft): Promise<Order | 'no' | 'later' | 'not known'> {
 *   const answer = await broker.submit(order);
 *   switch (answer.outcome) {
 *     case 'accepted':
 *       return answer.order;
 *     case 'refused':
 *       return 'no';
 *     case 'not_taken':
 *       return 'later';
 *     case 'unknown':
 *       return (await broker.orderByClientOrderId(order.client_order_id)) ?? 'not known';
 *   }
 * }
 * ```
 */
export interface Broker {
  account(): Promise<Account>;
  positions(): Promise<Position[]>;
  orders(query: OrderQuery): Promise<Order[]>;
  order(id: string): Promise<Order | undefined>;
  /** Looks up an order. Right after a submission, `undefined` does not prove that the order was rejected. */
  orderByClientOrderId(clientOrderId: string): Promise<Order | undefined>;
  asset(symbol: string): Promise<Asset | undefined>;
  /** Returns all tradable assets, so that they can be searched by name. */
  assets(): Promise<readonly Asset[]>;
  /** Returns tradable contracts. Absent if the broker does not trade options. */
  optionContracts?(query: OptionContractQuery): Promise<OptionContracts>;
  /** Returns the quotes of those symbols that have a price. */
  quotes(symbols: readonly string[]): Promise<Quote[]>;
  bars(query: BarQuery): Promise<Bar[]>;
  clock(): Promise<MarketClock>;
  calendar(query: CalendarQuery): Promise<TradingDay[]>;
  activities(query: ActivityQuery): Promise<ActivityPage>;
  portfolioHistory(query: PortfolioHistoryQuery): Promise<PortfolioHistory>;
  news(query: NewsQuery): Promise<Article[]>;
  corporateActions(query: CorporateActionQuery): Promise<CorporateActions>;
  /** Returns the owner's watchlist, which is empty if there is none. */
  watchlist(): Promise<Watchlist>;
  /** Sets the watchlist's symbols. Creates the watchlist if the owner has none. @throws {HttpProblem} as reads do */
  setWatchlist(symbols: readonly string[]): Promise<Watchlist>;
  /** Sends the order exactly as it is passed. Never throws. */
  submit(order: OrderDraft): Promise<SubmissionResult>;
  /** Replaces an order. Never throws. `not_replaceable`: the earlier order is closed or can't be changed. */
  replace(orderId: string, replacement: OrderReplacement): Promise<SubmissionResult>;
  /** @throws {HttpProblem} if it is unknown whether the order is canceled; the call may then be repeated */
  cancel(id: string): Promise<CancellationResult>;
  /** Resolves when `signal` aborts or the connection ends. @throws {HttpProblem} if connecting fails */
  tradeUpdates?(signal: AbortSignal, listener: TradeUpdateListener): Promise<void>;
}

/**
 * Connects to one user's account.
 * @param send used instead of the context's `fetch`, except by brokers whose accounts share a session
 */
export type ConnectBroker = (
  credentials: AccountCredentials,
  onUnauthorized: () => void,
  send?: typeof fetch,
) => Broker;

export type BrokerOrders = Pick<Broker, 'orders' | 'order' | 'orderByClientOrderId' | 'submit' | 'replace' | 'cancel'>;
