import { unitsOf } from '../../trading/asset-class.ts';
import {
  type CountedFacts,
  countOf,
  isLike,
  reservedFor,
  type SameTerms,
  sameTerms,
} from '../../trading/counted-order.ts';
import { Dec, ZERO } from '../../trading/decimal.ts';
import type { CountedTerms } from '../../trading/mandate/mandate.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import { coveringOf } from '../../trading/option-cover.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import { DAY_MS, MINUTE_MS } from '../../values/durations.ts';
import type { Claim, Counting, Usage } from '../order-journal.ts';

/** Longer than any `min_seconds_between_same`. */
export const SAME_WITHIN_MS = DAY_MS;
/**
 * A newest order that is dated so long after the clock was dated by a clock that was wrong, or this one is: whose day it is
 * can't be told, and nothing is placed until somebody has looked.
 */
const MOST_AHEAD_MS = DAY_MS;

/** An order's columns that are counted by. */
export function countedColumns({ draft }: Pick<Claim, 'draft'>) {
  return {
    account: draft.account,
    symbol: draft.symbol,
    side: draft.side,
    notional: reservedFor(draft),
    qty: countOf(draft).qty,
    terms: sameTerms(draft),
  };
}

/** Of an order that may have gone out lately. */
export interface LateOrder {
  readonly created_at: number;
  readonly notional: string;
  readonly terms: string;
}

/** What those that may have gone out lately come to. Times are milliseconds since the epoch. */
export interface LateOrders {
  /** Dollars of the day's, exact. */
  readonly notional: string;
  /** How many of the day, and of the last minute. */
  readonly orders: number;
  readonly last_minute: number;
  /** When the last one of about the same terms was claimed, within {@link SAME_WITHIN_MS}. */
  readonly same_at: number | null;
}

/** Of an order that is not known to be over. */
export interface OpenOrder {
  readonly symbol: string;
  readonly side: string;
  readonly notional: string;
  readonly qty: string;
}

/**
 * By when it is counted: a clock that is set back is not believed, the newest order tells that it was later already.
 * @param newest when the account's newest order was claimed; null where there is none. Milliseconds since the epoch, as `clock`
 */
function countingTime(newest: number | null | undefined, clock: number): number {
  return Math.max(clock, newest ?? 0);
}

/** Accounts of which it is kept that the clock is behind their newest order. */
const MOST_BEHIND = 10_000;

/** The time by which the orders of each account are counted, in milliseconds since the epoch as the clock's. */
export interface CountingClock {
  /** What the time is taken for before the newest order is read. */
  expected(account: string, clock: number): number;
  /** The time, given the newest order; see {@link countingTime}. */
  at(account: string, newest: number | null | undefined, clock: number): number;
}

/**
 * Where the clock is behind an account's newest order, the time goes on from that order by the monotonic clock: a minute is over
 * after a minute, and not once the clock has caught up. It never goes back while this process lives, so that no budget comes of
 * it, unless the orders themselves were dated again (`gateway recount`).
 */
export function countingClock(monotonic: () => number = () => performance.now()): CountingClock {
  const behind = new Map<
    string,
    { readonly newest: number; readonly time: number; readonly since: number }
  >();
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
      if (behind.size >= MOST_BEHIND) behind.clear();
      if (time > clock) behind.set(account, { newest: newest ?? 0, time, since: monotonic() });
      return time;
    },
  };
}

/** From when on the orders of an account are looked at. @param now {@link countingTime} */
export function lateSince(now: number): number {
  return Math.min(dayBegan(now), now - SAME_WITHIN_MS);
}

/** All that an account has out, as of one moment: read in the transaction that goes by it. */
export interface OutOrders {
  /** {@link countingTime}. */
  readonly now: number;
  /** When the newest order was claimed; null where there is none. */
  readonly newest: number | null;
  readonly clock: number;
  /** Of those since {@link lateSince}, but for the order that is asked about and the one that it is put in place of. */
  readonly late: LateOrders;
  /** The same of those that are open. */
  readonly open: readonly OpenOrder[];
  readonly state: TradingState;
}

/** What orders since {@link lateSince} come to. @param like those that count as the same */
export function lateOrders(late: readonly LateOrder[], now: number, like: SameTerms): LateOrders {
  const began = dayBegan(now);
  const ofDay = late.filter(({ created_at }) => created_at >= began);
  const same = late.flatMap((row) => (isLike(row.terms, like) ? [row.created_at] : []));
  return {
    notional: sum(ofDay.map(({ notional }) => notional)).toFixed(),
    orders: ofDay.length,
    last_minute: late.filter(({ created_at }) => created_at > now - MINUTE_MS).length,
    same_at: same.length === 0 ? null : Math.max(...same),
  };
}

/** What an account has used up. */
export function usageOf({ newest, clock, late, open, state }: OutOrders): Usage {
  const behind = (newest ?? clock) - clock;
  return {
    state,
    day_notional: new Dec(late.notional).toFixed(2),
    day_orders: late.orders,
    last_minute: late.last_minute,
    open_orders: open.length,
    ...(behind > MOST_AHEAD_MS ? { clock_behind: Math.floor(behind / 1000) } : {}),
  };
}

/**
 * What an order meets. The sums are over rows, exact in decimals.
 * @param mandate how far the mandate that it names was used; null where there is none of that name, undefined where it names none
 */
export function countedFacts(
  { draft }: Pick<Counting, 'draft'>,
  out: OutOrders,
  mandate: CountedTerms | null | undefined,
): CountedFacts {
  const { symbol, side } = draft;
  const { now, late, open } = out;
  const inSymbol = open.filter((row) => row.symbol === symbol);
  const covering = coveringOf(symbol, open);
  return {
    ...usageOf(out),
    open_symbol_notional: sum(inSymbol.flatMap((row) => (row.side === 'buy' ? [row.notional] : []))).toFixed(
      2,
    ),
    open_symbol_sells: sum(inSymbol.flatMap((row) => (row.side === 'sell' ? [row.qty] : []))).toFixed(),
    same_before: late.same_at === null ? null : Math.floor((now - late.same_at) / 1000),
    opposes_open: inSymbol.some((row) => row.side !== side),
    ...defined({ covering, mandate }),
  };
}

/** What an order reserved when it was claimed. */
export interface Reserved {
  readonly notional: string;
  readonly qty: string;
}

/** What an order that is over counts for: all of it, or the part that was filled, at its worst. */
export function filledPart({ notional, qty }: Reserved, order: Order): Reserved {
  if (order.status === 'filled') return { notional, qty };
  const filled = new Dec(order.filled_qty);
  if (filled.isZero()) return { notional: '0.00', qty: '0' };
  const part =
    order.qty === null
      ? filled.times(unitsOf(order.symbol)).times(order.filled_avg_price ?? 0)
      : new Dec(notional).times(filled).div(order.qty);
  return {
    notional: Dec.min(part, notional).toFixed(2, Dec.ROUND_UP),
    qty: Dec.min(filled, qty).toFixed(),
  };
}

function sum(amounts: readonly string[]): Dec {
  return amounts.reduce((total, amount) => total.plus(amount), ZERO);
}
