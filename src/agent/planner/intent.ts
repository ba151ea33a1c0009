import type { LookTime } from '../../tools/alerts.ts';
import type { Alert } from '../../trading/alert.ts';
import type { MessageService } from '../../trading/message.ts';
import type { OrderRequestInput, TimeInForce } from '../../trading/order.ts';
import type { Period } from '../../trading/period.ts';
import type { SaidContract } from './said-contract.ts';
import type { SaidWhen } from './standing-when.ts';

/*
 * What sentences ask for. A symbol in capitals is a ticker; one in small letters is what the person called it (`apple`,
 * `aapl`), and is looked up in the asset list before anything is done.
 */

/**
 * An order as a sentence says it. `fraction` of a position where it says how much of what is held; `contract` where it is
 * for an option: the request's symbol is then what that is on; `mayBeTotal` where its limit may be meant for all shares.
 */
export interface OrderIntent {
  readonly kind: 'order';
  readonly request: OrderRequestInput;
  readonly fraction?: string;
  readonly contract?: SaidContract;
  readonly mayBeTotal?: true;
}

/** An order that the gateway is to place by itself: again and again, or once at a price. */
export interface StandingIntent {
  readonly kind: 'standing';
  readonly request: OrderRequestInput;
  readonly when: SaidWhen;
  readonly mayBeTotal?: true;
}

/** What the person wants to be told of a price. */
export interface AlertIntent {
  readonly kind: 'alert';
  readonly alert: Alert;
}

/** What of the portfolio is asked for: one figure of it, or a position; the whole where there is none. */
export type PortfolioView = 'biggest' | 'best' | 'worst' | 'day' | 'total';

/** What of how the account did is asked for. */
export type PerformanceFigure = 'sharpe' | 'sortino' | 'beta' | 'dividends';

/** An open order: by its id, a symbol's one, the only one there is, or the newest. */
export type WhichOrder =
  | { readonly id: string }
  | { readonly symbol: string }
  | { readonly only: true }
  | { readonly newest: true };

/** What becomes of an open order. `price` where it is not said which; `value` where it may be a price or shares. */
export type OrderChange =
  | { readonly limit_price: string }
  | { readonly stop_price: string }
  | { readonly qty: string }
  | { readonly time_in_force: TimeInForce }
  | { readonly price: string }
  | { readonly value: string };

export interface CancelIntent {
  readonly kind: 'cancel';
  readonly which:
    | Exclude<WhichOrder, { readonly symbol: string }>
    | { readonly symbol: string; readonly many: boolean }
    | { readonly all: true };
}

export interface ReplaceIntent {
  readonly kind: 'replace';
  readonly which: WhichOrder;
  readonly change: OrderChange;
}

/** Targets that the person named, all of them: fractions by ticker, `cash` what stays in cash. */
export interface RebalanceIntent {
  readonly kind: 'rebalance';
  readonly targets: readonly { readonly symbol: string; readonly weight: string }[];
}

/** What one clause asks for, of whichever account. */
type Asked =
  | OrderIntent
  | StandingIntent
  | CancelIntent
  | ReplaceIntent
  | { readonly kind: 'whoami' }
  | { readonly kind: 'portfolio'; readonly view?: PortfolioView; readonly symbol?: string }
  | { readonly kind: 'quote'; readonly symbols: readonly string[] }
  /** Prices over so many days. */
  | { readonly kind: 'chart'; readonly symbol: string; readonly days: number }
  | { readonly kind: 'clock' }
  | { readonly kind: 'orders'; readonly status: 'open' | 'closed' | 'all' }
  /** A summary of the portfolio, to somebody elsewhere. */
  | { readonly kind: 'send'; readonly service: MessageService; readonly recipient: string }
  | AlertIntent
  | { readonly kind: 'alerts' }
  | { readonly kind: 'stop_alert'; readonly symbol: string }
  /** When this machine is to look at the alerts. */
  | { readonly kind: 'look'; readonly every: LookTime }
  /** Whether the market trades tomorrow. */
  | { readonly kind: 'calendar' }
  /** Of the whole market where there are no symbols. */
  | { readonly kind: 'news'; readonly symbols: readonly string[] }
  | { readonly kind: 'activities'; readonly period: Period; readonly kinds?: readonly string[] }
  | {
      readonly kind: 'performance';
      readonly period: Period;
      /** A symbol; the usual one where there is none. */
      readonly benchmark?: string;
      /** All of it where there is none. */
      readonly figure?: PerformanceFigure;
    }
  /** What sales made; `year` is `2025`, `this` or `last`, and all of them where there is none. */
  | { readonly kind: 'gains'; readonly year?: string }
  | { readonly kind: 'risk' }
  /** Of all positions where there is no symbol. */
  | { readonly kind: 'lots'; readonly symbol?: string }
  /** All that is held where no shares are said. */
  | { readonly kind: 'wash'; readonly symbol: string; readonly qty?: string }
  | { readonly kind: 'findings' }
  /** Whether an order would pass the owner's rules. */
  | { readonly kind: 'rules'; readonly request: OrderRequestInput }
  | RebalanceIntent
  | { readonly kind: 'watchlist' }
  | { readonly kind: 'watch'; readonly change: 'add' | 'remove'; readonly symbols: readonly string[] }
  | { readonly kind: 'help' };

/** What one clause asks for; `account` as the person calls it, where it names one. */
export type Intent = Asked & { readonly account?: string };

/** Whether it stands as the person called it, to be looked up. */
export function isName(symbol: string): boolean {
  return symbol !== symbol.toUpperCase();
}

/** The symbols that an intent names. */
export function symbolsOf(intent: Intent): readonly string[] {
  switch (intent.kind) {
    case 'order':
    case 'rules':
    case 'standing':
      return [String(intent.request.symbol)];
    case 'quote':
    case 'news':
    case 'watch':
      return intent.symbols;
    case 'chart':
    case 'stop_alert':
    case 'wash':
      return [intent.symbol];
    case 'alert':
      return [intent.alert.symbol];
    case 'portfolio':
    case 'lots':
      return intent.symbol === undefined ? [] : [intent.symbol];
    case 'performance':
      return intent.benchmark === undefined ? [] : [intent.benchmark];
    case 'cancel':
    case 'replace':
      return 'symbol' in intent.which ? [intent.which.symbol] : [];
    default:
      return [];
  }
}

/** The same, of other symbols. @param to what becomes of each */
export function withSymbols(intent: Intent, to: (symbol: string) => string): Intent {
  switch (intent.kind) {
    case 'order':
    case 'rules':
    case 'standing':
      return { ...intent, request: { ...intent.request, symbol: to(String(intent.request.symbol)) } };
    case 'quote':
    case 'news':
    case 'watch':
      return { ...intent, symbols: intent.symbols.map(to) };
    case 'chart':
    case 'stop_alert':
    case 'wash':
      return { ...intent, symbol: to(intent.symbol) };
    case 'alert':
      return { ...intent, alert: { ...intent.alert, symbol: to(intent.alert.symbol) } };
    case 'portfolio':
    case 'lots':
      return intent.symbol === undefined ? intent : { ...intent, symbol: to(intent.symbol) };
    case 'performance':
      return intent.benchmark === undefined ? intent : { ...intent, benchmark: to(intent.benchmark) };
    case 'cancel':
      return 'symbol' in intent.which
        ? { ...intent, which: { ...intent.which, symbol: to(intent.which.symbol) } }
        : intent;
    case 'replace':
      return 'symbol' in intent.which ? { ...intent, which: { symbol: to(intent.which.symbol) } } : intent;
    default:
      return intent;
  }
}
