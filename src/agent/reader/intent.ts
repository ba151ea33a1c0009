import type { Phrase } from '../../text/phrase.ts';
import type { CheckTime } from '../../tools/alerts.ts';
import type { Alert } from '../../trading/alert.ts';
import type { Recurrence } from '../../trading/mandate/standing-order.ts';
import type { MessageService } from '../../trading/message.ts';
import type { OrderRequestInput, Side, TimeInForce } from '../../trading/order.ts';
import type { Period } from '../../trading/period.ts';
import type { ContractMention } from './contract-mention.ts';
import type { RelativePrice } from './relative-price.ts';

/** When the gateway places a standing order, as arguments of the tool `place_standing_order`. */
export interface ScheduleMention {
  readonly every?: Recurrence;
  /** `HH:MM` in New York. */
  readonly at?: string;
  readonly below?: string;
  readonly above?: string;
  /** The price to wait for, below or above the current price. Resolved before the tool is called. */
  readonly reaches?: string;
  readonly until?: string;
  readonly before?: string;
}

/* A symbol in capitals is a ticker. A symbol in lower case is a name (`apple`, `aapl`) that must be looked up. */

/**
 * `fraction` is the part of the position to sell, or to buy in addition. `keep` is the number of shares in the position
 * after the order. `cash` and `equity` are the parts of the account's cash and value to spend. `relative` contains the
 * prices that depend on the current price, by field. If there is a `contract`, the symbol is its underlying. If
 * `mayBeTotal` is true, the limit may be the price of all shares together.
 */
export interface OrderIntent {
  readonly kind: 'order';
  readonly request: OrderRequestInput;
  readonly fraction?: string;
  readonly keep?: string;
  readonly cash?: string;
  readonly equity?: string;
  readonly relative?: Readonly<Record<string, RelativePrice>>;
  readonly contract?: ContractMention;
  readonly mayBeTotal?: true;
}

export interface StandingOrderIntent {
  readonly kind: 'standing';
  readonly request: OrderRequestInput;
  readonly when: ScheduleMention;
  /** The part of the current position to trade. */
  readonly fraction?: string;
  /** The number of shares of the current position that remain. */
  readonly keep?: string;
  readonly mayBeTotal?: true;
}

/** `reaches` is a price that may be below or above the current price. */
export type AlertMention = Alert & { readonly reaches?: string };

interface AlertIntent {
  readonly kind: 'alert';
  readonly alert: AlertMention;
}

/** Which part of the portfolio to report. If undefined, all of it is reported. */
export type PortfolioView = 'day' | 'total' | 'cash' | 'settled' | 'options' | 'number';

/** The positions with the highest or lowest value, gain in percent or dollars, or gain today. */
export interface PortfolioRanking {
  readonly by: 'value' | 'percent' | 'dollars' | 'day';
  readonly from: 'top' | 'bottom' | 'both';
  readonly count: number;
}

/** Selects which of the period's activities to report. */
export interface ActivityFilter {
  readonly side?: Side;
  readonly symbol?: string;
  readonly year?: string;
  /** `03` for March. */
  readonly month?: string;
  /** `yesterday`, or the weekday of a day before today. The period is the last week then. */
  readonly day?: string;
}

/** `best` and `worst` are the positions that contributed most and least to the return. */
export type PerformanceFigure = 'sharpe' | 'sortino' | 'beta' | 'dividends' | 'best' | 'worst';

/**
 * A figure that is computed from the results of several calls: `free_cash` is the cash that no open order needs,
 * `cash_after` the cash after the open orders fill, `affordable` the number of shares that money buys, `trade` the cash
 * after a trade, `raise` the number of shares to sell, `progress` how far the price is from the orders' prices, and
 * `extremes` the period's high and low.
 */
export interface FigureIntent {
  readonly kind: 'computed';
  readonly figure:
    | 'free_cash'
    | 'cash_after'
    | 'affordable'
    | 'trade'
    | 'raise'
    | 'progress'
    | 'extremes'
    | 'gain'
    | 'margin'
    | 'rejected';
  readonly symbol?: string;
  readonly side?: Side;
  readonly qty?: string;
  /** Dollars to spend or to raise. If absent, the cash is spent. */
  readonly amount?: string;
  /** Whether `amount` is the cash to have after a sale. */
  readonly isTarget?: true;
  /** The part of the cash to spend, or of the position to sell. */
  readonly fraction?: string;
  readonly days?: number;
  readonly period?: Period;
}

/** Traits by which an open order is identified. `price` is its limit or its stop. */
export interface OrderTraits {
  readonly side?: Side;
  readonly qty?: string;
  readonly price?: string;
  readonly type?: 'limit' | 'stop' | 'trailing';
}

/**
 * Identifies an order by its ID or its symbol, as the only open order, or as the newest or oldest order. With traits,
 * only orders with these traits match.
 */
export type OrderReference =
  | { readonly id: string }
  | ({ readonly symbol: string } & OrderTraits)
  | ({ readonly only: true } & OrderTraits)
  /** The order's position in the list of open orders, from 1. */
  | { readonly place: number }
  | { readonly newest: true }
  | { readonly oldest: true }
  /** The position in the sequence in which the open orders were placed: 1 is the oldest, -1 the newest. */
  | ({ readonly placed: number; readonly symbol?: string } & OrderTraits)
  /** The only open order besides another. */
  | { readonly otherThan: OrderReference };

/** A change to an order. `price` may be the limit or the stop price; `value` may be a price or a number of shares. */
export interface OrderChange {
  readonly limit_price?: string;
  readonly stop_price?: string;
  readonly qty?: string;
  readonly time_in_force?: TimeInForce;
  readonly price?: string;
  readonly value?: string;
  readonly by?: OrderDifference;
}

/** A change by a difference: "two dollars higher", "5% fewer shares". */
export interface OrderDifference {
  /** `price` is the limit or the stop price. */
  readonly field: 'limit_price' | 'stop_price' | 'qty' | 'price';
  readonly amount: string;
  readonly unit: 'value' | 'percent';
  readonly side: 'above' | 'below';
}

export interface CancelIntent {
  readonly kind: 'cancel';
  readonly which:
    | Exclude<OrderReference, { readonly symbol: string }>
    | ({ readonly symbol: string; readonly many: boolean } & OrderTraits)
    /** If `count` is set, there are exactly that many orders: "my two orders". */
    | ({ readonly all: true; readonly count?: string } & OrderTraits);
}

export interface ReplaceIntent {
  readonly kind: 'replace';
  readonly which: OrderReference;
  readonly change: OrderChange;
  /** The old value, if the person named it: 75 in "from 75 to 73". */
  readonly was?: string;
}

/** Target weights by ticker and for `cash`. The weights add up to 1. */
export interface RebalanceIntent {
  readonly kind: 'rebalance';
  readonly targets: readonly { readonly symbol: string; readonly weight: string }[];
}

/** A sale at the market price, and a purchase with the proceeds. */
export interface SwapIntent {
  readonly kind: 'swap';
  readonly sale: OrderIntent;
  readonly symbol: string;
  readonly account?: string;
}

/**
 * Brings a position to a part of the account's value, or to a value in dollars; or brings the cash to an amount
 * (`cash`); or buys as many whole shares as an amount pays for (`budget`).
 */
export interface TargetIntent {
  readonly kind: 'target';
  readonly symbol: string;
  readonly to:
    | { readonly weight: string }
    | { readonly value: string }
    | { readonly cash: string }
    | { readonly budget: string };
  /** The side that the words name. If undefined, both sides are possible. */
  readonly side?: Side;
}

type BaseIntent =
  | OrderIntent
  | StandingOrderIntent
  | SwapIntent
  | TargetIntent
  | CancelIntent
  | ReplaceIntent
  | { readonly kind: 'whoami' }
  | {
      readonly kind: 'portfolio';
      readonly view?: PortfolioView;
      readonly ranking?: PortfolioRanking;
      readonly symbol?: string;
    }
  /** If `qty` is set, the question asks for the cost of that many shares. */
  | { readonly kind: 'quote'; readonly symbols: readonly string[]; readonly qty?: string }
  | { readonly kind: 'chart'; readonly symbol: string; readonly days: number }
  | { readonly kind: 'clock' }
  /** If `dated` is true, the answer shows when each order was placed. */
  | {
      readonly kind: 'orders';
      readonly status: 'open' | 'closed' | 'all';
      readonly symbol?: string;
      readonly dated?: true;
    }
  | FigureIntent
  | { readonly kind: 'send'; readonly service: MessageService; readonly recipient: string }
  | AlertIntent
  | { readonly kind: 'alerts' }
  | { readonly kind: 'stop_alert'; readonly symbol: string }
  | { readonly kind: 'look'; readonly every: CheckTime }
  /**
   * `day` is a weekday, `tomorrow`, a holiday such as `labor_day`, a date such as `12-24`, or `holidays` for the next days
   * without trading.
   */
  | { readonly kind: 'calendar'; readonly day: string }
  | { readonly kind: 'dividend_dates'; readonly symbols: readonly string[] }
  /** If there are no symbols, the news is about the whole market. */
  | { readonly kind: 'news'; readonly symbols: readonly string[] }
  | {
      readonly kind: 'activities';
      readonly period: Period;
      readonly kinds?: readonly string[];
      readonly only?: ActivityFilter;
    }
  | {
      readonly kind: 'performance';
      readonly period: Period;
      /** Symbol of the benchmark. Defaults to SPY. */
      readonly benchmark?: string;
      readonly figure?: PerformanceFigure;
    }
  /** `year` is `2025`, `this` or `last`. If omitted, all years are reported. */
  | { readonly kind: 'gains'; readonly year?: string; readonly symbol?: string; readonly onlyWashSales?: true }
  | { readonly kind: 'risk' }
  | { readonly kind: 'lots'; readonly symbol?: string }
  /** `qty` defaults to the whole position. */
  | { readonly kind: 'wash'; readonly symbol: string; readonly qty?: string }
  | { readonly kind: 'findings' }
  | { readonly kind: 'rules'; readonly request: OrderRequestInput }
  | RebalanceIntent
  | { readonly kind: 'watchlist' }
  | { readonly kind: 'watch'; readonly change: 'add' | 'remove'; readonly symbols: readonly string[] }
  /** A fixed answer. */
  | { readonly kind: 'say'; readonly text: Phrase }
  | { readonly kind: 'help' };

/** `account` is the person's name for the account. */
export type Intent = BaseIntent & { readonly account?: string };

/** Returns whether a symbol is a name that has to be looked up. */
export function isUnresolvedName(symbol: string): boolean {
  return symbol !== symbol.toUpperCase();
}

export function listIntentSymbols(intent: Intent): readonly string[] {
  switch (intent.kind) {
    case 'order':
    case 'rules':
    case 'standing':
      return [String(intent.request.symbol)];
    case 'quote':
    case 'news':
    case 'watch':
    case 'dividend_dates':
      return intent.symbols;
    case 'chart':
    case 'stop_alert':
    case 'wash':
      return [intent.symbol];
    case 'alert':
      return [intent.alert.symbol];
    case 'swap':
      return [String(intent.sale.request.symbol), intent.symbol];
    case 'target':
      return [intent.symbol];
    case 'portfolio':
    case 'orders':
    case 'computed':
    case 'gains':
    case 'lots':
      return intent.symbol === undefined ? [] : [intent.symbol];
    case 'activities':
      return intent.only?.symbol === undefined ? [] : [intent.only.symbol];
    case 'performance':
      return intent.benchmark === undefined ? [] : [intent.benchmark];
    case 'cancel':
    case 'replace':
      return referenceSymbols(intent.which);
    default:
      return [];
  }
}

type AnyReference = CancelIntent['which'] | OrderReference;

function referenceSymbols(which: AnyReference): readonly string[] {
  if ('otherThan' in which) return referenceSymbols(which.otherThan);
  return 'symbol' in which && which.symbol !== undefined ? [which.symbol] : [];
}

function mapReference<T extends AnyReference>(which: T, to: (symbol: string) => string): T {
  if ('otherThan' in which) return { ...which, otherThan: mapReference(which.otherThan, to) };
  return 'symbol' in which && which.symbol !== undefined ? { ...which, symbol: to(which.symbol) } : which;
}

export function mapSymbols(intent: Intent, to: (symbol: string) => string): Intent {
  switch (intent.kind) {
    case 'order':
    case 'rules':
    case 'standing':
      return { ...intent, request: { ...intent.request, symbol: to(String(intent.request.symbol)) } };
    case 'quote':
    case 'news':
    case 'watch':
    case 'dividend_dates':
      return { ...intent, symbols: intent.symbols.map(to) };
    case 'chart':
    case 'stop_alert':
    case 'wash':
      return { ...intent, symbol: to(intent.symbol) };
    case 'swap':
      return { ...intent, sale: mapSymbols(intent.sale, to) as OrderIntent, symbol: to(intent.symbol) };
    case 'target':
      return { ...intent, symbol: to(intent.symbol) };
    case 'alert':
      return { ...intent, alert: { ...intent.alert, symbol: to(intent.alert.symbol) } };
    case 'activities':
      return intent.only?.symbol === undefined
        ? intent
        : { ...intent, only: { ...intent.only, symbol: to(intent.only.symbol) } };
    case 'portfolio':
    case 'orders':
    case 'computed':
    case 'gains':
    case 'lots':
      return intent.symbol === undefined ? intent : { ...intent, symbol: to(intent.symbol) };
    case 'performance':
      return intent.benchmark === undefined ? intent : { ...intent, benchmark: to(intent.benchmark) };
    case 'cancel':
      return { ...intent, which: mapReference(intent.which, to) };
    case 'replace':
      return { ...intent, which: mapReference(intent.which, to) };
    default:
      return intent;
  }
}
