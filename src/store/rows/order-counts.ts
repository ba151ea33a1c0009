import { contractMultiplier } from '../../trading/asset-class.ts';
import {
  type CountedTotals,
  countedSize,
  isSimilarOrder,
  repeatKey,
  reservedDollars,
  type SimilarTermsRange,
} from '../../trading/counted-order.ts';
import { Dec, ZERO } from '../../trading/decimal.ts';
import type { MandateWithUse } from '../../trading/mandate/mandate.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import { usedCover } from '../../trading/option-cover.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { DAY_MS, MINUTE_MS } from '../../values/durations.ts';
import type { LimitUsage, OrderClaim, OrderToCheck } from '../order-journal.ts';

/** How long an order is compared with new orders, to find identical ones. Longer than any `min_seconds_between_same`. */
export const IDENTICAL_ORDER_WINDOW_MS = DAY_MS;
/**
 * Maximum time, in milliseconds, by which the newest order may be ahead of the clock. Beyond this, the order's time or
 * the clock is wrong and the current day is unknown, so no orders are placed until a person has found the error.
 */
const MAX_CLOCK_AHEAD_MS = DAY_MS;

/** Returns the values of the columns that are used to count an order toward limits. */
export function toCountedColumns({ draft }: Pick<OrderClaim, 'draft'>) {
  return {
    account: draft.account,
    symbol: draft.symbol,
    side: draft.side,
    notional: reservedDollars(draft),
    qty: countedSize(draft).qty,
    terms: repeatKey(draft),
  };
}

export interface RecentOrder {
  readonly created_at: number;
  readonly notional: string;
  readonly terms: string;
}

/** Times are milliseconds since the epoch. */
export interface RecentTotals {
  /** Exact total of the day's orders, in dollars. */
  readonly notional: string;
  readonly orders: number;
  readonly last_minute: number;
  /** Time of the latest order with similar terms within {@link IDENTICAL_ORDER_WINDOW_MS}. Null if there is none. */
  readonly same_at: number | null;
}

export interface OpenOrder {
  readonly symbol: string;
  readonly side: string;
  readonly notional: string;
  readonly qty: string;
}

/**
 * Returns the time at which orders are counted: `clock`, but never before the newest order, so that setting the clock
 * back has no effect.
 * @param newest time of the account's newest order, in milliseconds since the epoch, like `clock`; null if there is no
 * order
 */
function countingTime(newest: number | null | undefined, clock: number): number {
  return Math.max(clock, newest ?? 0);
}

/** Maximum number of cached accounts whose newest order is ahead of the machine's clock. */
const MAX_BEHIND_ACCOUNTS = 10_000;

/** The clock for counting an account's orders toward limits. Times are milliseconds since the epoch. */
export interface OrderCountClock {
  /** Returns an estimate of the time for counting, to be used before the newest order is read. */
  expected(account: string, clock: number): number;
  /** Returns the current time for counting, given the time of the newest order (see {@link countingTime}). */
  at(account: string, newest: number | null | undefined, clock: number): number;
}

/**
 * Creates a clock for counting orders. If the machine's clock is behind an account's newest order, the time continues
 * from that order at the speed of the monotonic clock. Otherwise, limits would stay exhausted until the machine's clock
 * has caught up. While this process runs, the time goes back only if orders are redated (`gateway recount`), so that no
 * limit is lifted early.
 */
export function createOrderCountClock(monotonic: () => number = () => performance.now()): OrderCountClock {
  const behind = new Map<string, { readonly newest: number; readonly time: number; readonly since: number }>();
  const expected = (account: string, clock: number): number => {
    const known = behind.get(account);
    return known === undefined ? clock : Math.max(clock, known.time + Math.floor(monotonic() - known.since));
  };
  return {
    expected,
    at(account, newest, clock) {
      const isRecounted = (newest ?? 0) < (behind.get(account)?.newest ?? 0);
      const time = countingTime(newest, isRecounted ? clock : expected(account, clock));
      behind.delete(account);
      if (behind.size >= MAX_BEHIND_ACCOUNTS) behind.clear();
      if (time > clock) behind.set(account, { newest: newest ?? 0, time, since: monotonic() });
      return time;
    },
  };
}

/** Returns the time from which orders count as recent. @param now the {@link countingTime} */
export function recentOrdersStart(now: number): number {
  return Math.min(newYorkMidnight(now), now - IDENTICAL_ORDER_WINDOW_MS);
}

/** A snapshot of an account's orders, used in the transaction that read it. */
export interface AccountOrders {
  readonly now: number;
  readonly newest: number | null;
  readonly clock: number;
  /** Totals since {@link recentOrdersStart}, without the order that is being checked and the order that it replaces. */
  readonly recent: RecentTotals;
  /** Open orders, without the order that is being checked and the order that it replaces. */
  readonly open: readonly OpenOrder[];
  readonly state: TradingState;
}

/** Adds up the orders since {@link recentOrdersStart}. @param like the range of terms that count as similar */
export function totalRecentOrders(recent: readonly RecentOrder[], now: number, like: SimilarTermsRange): RecentTotals {
  const began = newYorkMidnight(now);
  const ofDay = recent.filter(({ created_at }) => created_at >= began);
  const same = recent.flatMap((row) => (isSimilarOrder(row.terms, like) ? [row.created_at] : []));
  return {
    notional: sum(ofDay.map(({ notional }) => notional)).toFixed(),
    orders: ofDay.length,
    last_minute: recent.filter(({ created_at }) => created_at > now - MINUTE_MS).length,
    same_at: same.length === 0 ? null : Math.max(...same),
  };
}

export function toLimitUsage({ newest, clock, recent, open, state }: AccountOrders): LimitUsage {
  const behind = (newest ?? clock) - clock;
  return {
    state,
    day_notional: new Dec(recent.notional).toFixed(2),
    day_orders: recent.orders,
    last_minute: recent.last_minute,
    open_orders: open.length,
    ...(behind > MAX_CLOCK_AHEAD_MS ? { clock_behind: Math.floor(behind / 1000) } : {}),
  };
}

/**
 * Returns the totals to check an order against. Amounts are added up exactly, as decimals.
 * @param mandate how much of the order's mandate is used; null if the mandate does not exist, undefined if the order
 * has no mandate
 */
export function toCountedTotals(
  { draft }: Pick<OrderToCheck, 'draft'>,
  out: AccountOrders,
  mandate: MandateWithUse | null | undefined,
): CountedTotals {
  const { symbol, side } = draft;
  const { now, recent, open } = out;
  const inSymbol = open.filter((row) => row.symbol === symbol);
  const covering = usedCover(symbol, open);
  return {
    ...toLimitUsage(out),
    open_symbol_notional: sum(inSymbol.flatMap((row) => (row.side === 'buy' ? [row.notional] : []))).toFixed(2),
    open_symbol_sells: sum(inSymbol.flatMap((row) => (row.side === 'sell' ? [row.qty] : []))).toFixed(),
    same_before: recent.same_at === null ? null : Math.floor((now - recent.same_at) / 1000),
    opposes_open: inSymbol.some((row) => row.side !== side),
    ...defined({ covering, mandate }),
  };
}

export interface ReservedAmounts {
  readonly notional: string;
  readonly qty: string;
}

/** Returns the full amounts if the order was filled, otherwise the worst case of the filled part. */
export function closedOrderAmounts({ notional, qty }: ReservedAmounts, order: Order): ReservedAmounts {
  if (order.status === 'filled') return { notional, qty };
  const filled = new Dec(order.filled_qty);
  if (filled.isZero()) return { notional: '0.00', qty: '0' };
  const part =
    order.qty === null
      ? filled.times(contractMultiplier(order.symbol)).times(order.filled_avg_price ?? 0)
      : new Dec(notional).times(filled).div(order.qty);
  return {
    notional: Dec.min(part, notional).toFixed(2, Dec.ROUND_UP),
    qty: Dec.min(filled, qty).toFixed(),
  };
}

function sum(amounts: readonly string[]): Dec {
  return amounts.reduce((total, amount) => total.plus(amount), ZERO);
}
