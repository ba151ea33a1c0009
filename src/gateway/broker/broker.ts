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
  /** Only orders submitted at or before this instant. */
  readonly until?: Date | undefined;
}

export interface BarQuery {
  readonly symbol: string;
  readonly timeframe: '1Day' | '1Hour' | '1Min';
  readonly start: Date;
  readonly end: Date;
  /** The newest bars are kept when there are more. */
  readonly limit: number;
  /** By splits where nothing is said. A broker that can't refuses the read rather than give others. */
  readonly adjustment?: BarAdjustment | undefined;
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

interface NewsQuery {
  /** All of the market's where there are none. */
  readonly symbols: readonly string[];
  readonly limit: number;
}

/** Dates, both included. */
interface CorporateActionQuery extends CalendarQuery {
  readonly symbols: readonly string[];
  readonly limit: number;
}

export interface CorporateActions {
  /** The earliest first. */
  readonly actions: readonly CorporateAction[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

interface OptionContractQuery {
  /** Symbol of the share. */
  readonly underlying: string;
  /** Dates, both included. */
  readonly expires: { readonly from: string; readonly to: string };
  readonly right: ListedContract['right'] | undefined;
  /** Dollars a share, both included. */
  readonly strike: { readonly from?: string | undefined; readonly to?: string | undefined } | undefined;
  readonly limit: number;
}

interface OptionContracts {
  readonly contracts: readonly ListedContract[];
  /** Whether there are more than were asked for. */
  readonly more: boolean;
}

export interface ActivityQuery {
  /** Only what happened after it. */
  readonly after: Date | undefined;
  /** `next_page` of the page before. */
  readonly page: string | undefined;
  /** Fills may be left out. */
  readonly withoutFills?: boolean;
}

/** Newest first. */
export interface ActivityPage {
  readonly activities: readonly Activity[];
  /** Asks for the page after; null on the last. */
  readonly next_page: string | null;
}

/** Equity over time; dollars, `profit_loss_pct` a fraction. What the broker tells no equity of is left out. */
export interface PortfolioHistory {
  readonly timeframe: string;
  readonly base_value: string;
  readonly points: readonly {
    readonly at: string;
    readonly equity: string;
    readonly profit_loss: string;
    readonly profit_loss_pct: string;
    /** Cash from outside within the window (less what went there); left out where the broker tells none of that. */
    readonly flow?: string;
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

/** The order that is to stand in place of an open one. */
export interface Replacement {
  /** Whole, under a client_order_id of its own. */
  readonly order: OrderDraft;
  /** What of the earlier order becomes another, alone; `trail` is its trail_price or trail_percent, whichever it has. */
  readonly changes: ReplaceSubject['changes'];
}

/** What a broker tells by itself: that something happened to an order. What it was, its reads say. */
export interface TradeUpdate {
  /** Its id at the broker and its client_order_id, as far as either is told; none where nobody can tell what it was about. */
  readonly ids: readonly string[];
}

/** Who listens to what happens to an account's orders. */
export interface UpdateListener {
  /** From now on nothing is missed, for as long as the connection lasts. */
  standing(): void;
  /** Something happened. */
  update(update: TradeUpdate): void;
}

export type Cancellation = 'requested' | 'not_found' | 'not_cancelable';

/**
 * One user's account at a broker. The gateway's argument that an approval never becomes two orders (at the top of
 * orders/order-submission.ts) rests on what an implementation promises here; test/contract/broker/ tries it, and
 * docs/adding/broker.md says how to write one.
 *
 *  1. **One call, one request** that changes anything. Nothing is sent again, by the adapter or its SDK, whatever the answer:
 *     only the caller knows what may be repeated. Reading what it was answered with in part is no sending; where that fails
 *     after an order was sent, the order is `unknown`.
 *  2. **A client_order_id is taken once**, also after its order is over: `submit` and `replace` under a used one are
 *     `refused` as `duplicate`. Where the broker can't, its traits say so (`clientOrderId.takenOnce`), and the gateway
 *     sends nothing a second time. It takes every id of 8–48 letters, digits, `_` and `-`, and tells it back as it is.
 *  3. **An order is found by it** once the broker's reads have caught up, whatever became of it. `undefined` is the
 *     broker's own word that there is none: a proxy's page is not, and throws. Where the broker looks up less than that
 *     (`clientOrderId.lookedUp`) the gateway concludes nothing from a miss.
 *  4. **`refused` and `not_taken` are proofs** that no order came of this request. What is not surely one of them is
 *     `unknown`: a time-out, a lost connection, a 5xx, a page in nobody's words, a 2xx about something else.
 *  5. **What is sent is what was given.** No field is rounded, defaulted or left out; what can't be said in the broker's
 *     words is refused, and nothing is sent. The order has its bound already
 *     (`boundedOrder`).
 *  6. **Reads throw a `Refusal` alone** (502 `broker_unavailable`, `broker_invalid_response`, 504 `broker_timeout`, 503
 *     `broker_busy`, 409 `account_not_connected`), and answer in the shapes of trading/views.ts: an answer that lacks
 *     something must not look like an account of zero dollars. Where an account may not trade, whatever the broker
 *     calls that, it is `trading_blocked`. Symbols are written `BRK.B`, an order's id has letters, digits and `-` alone
 *     (64 at most), a page's name also `:`, `_` and `.` (128).
 *  7. **What it tells by itself is a hint** (`tradeUpdates`): one connection a call, never opened again by the adapter. What
 *     makes no sense, or is about who knows what, is told as an update without ids; only a read says how an order stands.
 *  8. **Refused credentials** are told at once (`onUnauthorized` of {@link ConnectBroker}), and are in no error's text.
 *
 * @example
 * ```ts
 * import type { OrderDraft } from '../../trading/order.ts';
 * import type { Order } from '../../trading/views.ts';
 * import type { Broker } from './broker.ts';
 *
 * // What becomes of an order whose answer may be lost:
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
  /** A miss right after a submission is no proof that the order wasn't taken. */
  orderByClientOrderId(clientOrderId: string): Promise<Order | undefined>;
  asset(symbol: string): Promise<Asset | undefined>;
  /** All that can be traded, by which a name is looked up. */
  assets(): Promise<readonly Asset[]>;
  /** Contracts that are open for trade; left out by a broker of no options. */
  optionContracts?(query: OptionContractQuery): Promise<OptionContracts>;
  /** Only the symbols the broker has a price for. */
  quotes(symbols: readonly string[]): Promise<Quote[]>;
  bars(query: BarQuery): Promise<Bar[]>;
  clock(): Promise<MarketClock>;
  /** The trading days of a stretch, half-days with their early closing. */
  calendar(query: CalendarQuery): Promise<TradingDay[]>;
  /** Fills, deposits, dividends and the like, a page at a time. */
  activities(query: ActivityQuery): Promise<ActivityPage>;
  portfolioHistory(query: PortfolioHistoryQuery): Promise<PortfolioHistory>;
  /** The newest articles, the newest first. Cleaned and cut as `articleSchema` says. */
  news(query: NewsQuery): Promise<Article[]>;
  /** Those that the broker books from one day to another. */
  corporateActions(query: CorporateActionQuery): Promise<CorporateActions>;
  /** The owner's own; an empty one where they have none yet. */
  watchlist(): Promise<Watchlist>;
  /**
   * Puts these symbols in place of what is on it, in their order; makes the list where there is none. Nothing else about
   * it changes.
   * @throws {Refusal} as a read
   */
  setWatchlist(symbols: readonly string[]): Promise<Watchlist>;
  /** Sends the order as it is. Never throws. */
  submit(order: OrderDraft): Promise<Submission>;
  /**
   * Puts an order in place of an open one; it has an id and a client_order_id of its own. Never throws.
   * `not_replaceable`: the earlier order is gone, or takes no changes.
   */
  replace(orderId: string, replacement: Replacement): Promise<Submission>;
  /** @throws {Refusal} as a read, where it is not known whether the order is cancelled: it may be asked for again */
  cancel(id: string): Promise<Cancellation>;
  /**
   * Listens to what happens to the account's orders, by one connection, until `signal` aborts; resolves then, and when the
   * connection ends. Where it is left out, or never stands, orders are asked about.
   * @throws {Refusal} as a read, where it can't be opened
   */
  tradeUpdates?(signal: AbortSignal, listener: UpdateListener): Promise<void>;
}

/**
 * Opens the account that these credentials stand for; `onUnauthorized` when the broker refuses them.
 * @param send for this account's requests, in the place of the context's `fetch`; not used where many accounts have one
 *   session
 */
export type ConnectBroker = (
  credentials: AccountCredentials,
  onUnauthorized: () => void,
  send?: typeof fetch,
) => Broker;
