import type { Activity, TradingDay } from '../../trading/activity.ts';
import type { ReplaceSubject } from '../../trading/kinds/replace.ts';
import type { ListedContract } from '../../trading/listed-contract.ts';
import type { Article, CorporateAction, Watchlist } from '../../trading/market-news.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type {
  Account,
  Asset,
  Bar,
  BarAdjustment,
  MarketClock,
  Order,
  Position,
  Quote,
} from '../../trading/views.ts';
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
  /** Maximum number of bars. The newest are returned. */
  readonly limit: number;
  /** Default `split`. A broker that can't provide another adjustment rejects the query. */
  readonly adjustment?: BarAdjustment | undefined;
}

export interface PortfolioHistoryQuery {
  /** A number followed by D, W, M or A, such as `1M`. */
  readonly period: string;
  readonly timeframe: string | undefined;
}

/** Both dates are inclusive. */
export interface CalendarQuery {
  readonly start: string;
  readonly end: string;
}

interface NewsQuery {
  /** An empty list means the news of the whole market. */
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
  /** Dollars per share, inclusive. */
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

/** Newest first. */
export interface ActivityPage {
  readonly activities: readonly Activity[];
  /** Token for the next page; null on the last page. */
  readonly next_page: string | null;
}

/** Equity over time, in dollars; `profit_loss_pct` is a fraction. Times without equity are left out. */
export interface PortfolioHistory {
  readonly timeframe: string;
  readonly base_value: string;
  readonly points: readonly {
    readonly at: string;
    readonly equity: string;
    readonly profit_loss: string;
    readonly profit_loss_pct: string;
    /** Net deposits within the window; absent if the broker reports none. */
    readonly flow?: string;
  }[];
}

/** `refused` and `not_taken` prove that this request created no order. `unknown` proves nothing. */
export type Submission =
  | { readonly outcome: 'accepted'; readonly order: Order }
  /** The broker rejected this order. */
  | {
      readonly outcome: 'refused';
      readonly reason: 'insufficient_funds' | 'duplicate' | 'not_replaceable' | 'other';
      /** For people. It never affects a decision. */
      readonly message: string;
      readonly brokerCode: string | undefined;
    }
  /** The broker rejected the request (rate limit, broken session) and not the order, so it may be sent again. */
  | { readonly outcome: 'not_taken'; readonly reason: 'rate_limited' | 'unauthorized' }
  /** A timeout, dropped connection, 5xx or unreadable answer: the order may have been accepted. */
  | { readonly outcome: 'unknown' };

export interface Replacement {
  /** The complete order, with its own client_order_id. */
  readonly order: OrderDraft;
  /** Only the fields that differ from the earlier order. `trail` is its trail_price or trail_percent. */
  readonly changes: ReplaceSubject['changes'];
}

/** A hint that something happened to an order. The order's state is read from the broker. */
export interface TradeUpdate {
  /** The order's id and client_order_id, as far as known. */
  readonly ids: readonly string[];
}

export interface UpdateListener {
  /** Called when listening begins. From then on, no update is missed while the connection lasts. */
  standing(): void;
  update(update: TradeUpdate): void;
}

export type Cancellation = 'requested' | 'not_found' | 'not_cancelable';

/**
 * One user's account at a broker. That an approval never becomes two orders (orders/order-submission.ts) depends on what an
 * implementation promises here; test/contract/broker/ tests it, and docs/adding/broker.md says how to write one.
 *
 *  1. **One call, one request** that changes anything. Neither the adapter nor its SDK sends anything again, whatever the
 *     answer. Further reads for an incomplete answer are allowed; if they fail after an order was sent, it is `unknown`.
 *  2. **A client_order_id is taken once**, even after its order is over: a used one is `refused` as `duplicate` by `submit`
 *     and `replace`. If the broker can't, its traits say so (`clientOrderId.takenOnce`), and nothing is sent a second time.
 *     Ids of 8–48 letters, digits, `_` and `-` are taken, and returned unchanged.
 *  3. **An order is found by it** once the broker's reads have caught up, whatever became of it. `undefined` is the broker's
 *     own word that there is none; a proxy's page throws. If the broker looks up less (`clientOrderId.lookedUp`), a miss
 *     proves nothing.
 *  4. **`refused` and `not_taken` are proofs** that no order came of this request. Anything else is `unknown`: a timeout, a
 *     lost connection, a 5xx, a page in nobody's words, a 2xx about something else.
 *  5. **What is sent is what was given.** No field is rounded, defaulted or left out; what the broker has no words for is
 *     refused and not sent. The order already has its bound (`boundedOrder`).
 *  6. **Reads only throw a `Refusal`** (502 `broker_unavailable`, `broker_invalid_response`, 504 `broker_timeout`, 503
 *     `broker_busy`, 409 `account_not_connected`) and return the shapes of trading/views.ts: an incomplete answer must not
 *     look like an account of $0. An account that may not trade is `trading_blocked`. Symbols are written `BRK.B`; order ids
 *     have letters, digits and `-` (64 at most), page names also `:`, `_` and `.` (128).
 *  7. **Its updates are hints** (`tradeUpdates`): one connection for each call, never reopened by the adapter. An unclear
 *     message is an update without ids; only a read tells an order's state.
 *  8. **Refused credentials** are reported at once (`onUnauthorized` of {@link ConnectBroker}), and are in no error's text.
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
  /** Returns undefined right after a submission even if the order was accepted, so a miss does not prove that it wasn't. */
  orderByClientOrderId(clientOrderId: string): Promise<Order | undefined>;
  asset(symbol: string): Promise<Asset | undefined>;
  /** All tradable assets, for searching by name. */
  assets(): Promise<readonly Asset[]>;
  /** Returns tradable contracts. Absent if the broker has no options. */
  optionContracts?(query: OptionContractQuery): Promise<OptionContracts>;
  /** Returns only symbols that have a price. */
  quotes(symbols: readonly string[]): Promise<Quote[]>;
  bars(query: BarQuery): Promise<Bar[]>;
  clock(): Promise<MarketClock>;
  /** Returns trading days. Half days have their early close. */
  calendar(query: CalendarQuery): Promise<TradingDay[]>;
  activities(query: ActivityQuery): Promise<ActivityPage>;
  portfolioHistory(query: PortfolioHistoryQuery): Promise<PortfolioHistory>;
  news(query: NewsQuery): Promise<Article[]>;
  corporateActions(query: CorporateActionQuery): Promise<CorporateActions>;
  /** Returns an empty list if the owner has none. */
  watchlist(): Promise<Watchlist>;
  /** Replaces the symbols, in this order. Creates the list if there is none. @throws {Refusal} as a read */
  setWatchlist(symbols: readonly string[]): Promise<Watchlist>;
  /** Sends the order unchanged. Never throws. */
  submit(order: OrderDraft): Promise<Submission>;
  /** Replaces an order. Never throws. `not_replaceable`: the earlier order is gone or can't change. */
  replace(orderId: string, replacement: Replacement): Promise<Submission>;
  /** @throws {Refusal} as a read, if it is unknown whether the order is canceled. The call may be retried. */
  cancel(id: string): Promise<Cancellation>;
  /** Resolves when `signal` aborts or the connection ends. @throws {Refusal} as a read, if it can't be opened */
  tradeUpdates?(signal: AbortSignal, listener: UpdateListener): Promise<void>;
}

/** Opens an account. @param send used instead of the context's `fetch`, unless accounts share a session */
export type ConnectBroker = (
  credentials: AccountCredentials,
  onUnauthorized: () => void,
  send?: typeof fetch,
) => Broker;

export type BrokerOrders = Pick<
  Broker,
  'orders' | 'order' | 'orderByClientOrderId' | 'submit' | 'replace' | 'cancel'
>;
