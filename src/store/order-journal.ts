import type { CountedTotals } from '../trading/counted-order.ts';
import type { OrderDraft } from '../trading/order.ts';
import type { Order, Problem } from '../trading/views.ts';
import type { DecisionNote } from './decision-store.ts';
import type { ApprovalId } from './used-approval.ts';

/**
 * An order's provable state:
 *
 *     intent ──▶ placed      the broker has it
 *       │  ▲ └─▶ rejected    the broker rejected it, nothing was sent, or it was written off ──▶ placed
 *       ▼  │
 *     unknown ──▶ placed | rejected
 *
 * `placed` is final. `rejected` is final unless there is proof to the contrary: an order that was written off was only
 * inferred to be absent, and becomes `placed` if the broker answers after all or a lookup finds it. `intent` is written before
 * the broker is called, so an intent found later means that the process died or that another one is sending the order.
 */
export type JournalState = 'intent' | 'placed' | 'rejected' | 'unknown';

/** An order's key. IDs are unique only per user, so nobody can block another user's ID by using it first. */
export interface OrderKey {
  readonly sub: string;
  readonly clientOrderId: string;
}

export interface JournalEntry extends OrderKey {
  readonly digest: string;
  readonly draft: OrderDraft;
  /** The broker's ID of the order that this one replaces. */
  readonly replaces: string | undefined;
  readonly state: JournalState;
  /**
   * Number of submissions, including one that is about to start. Also serves as the epoch of the right to send the
   * order.
   */
  readonly submissions: number;
  /** Time of the last submission. Null if every submission was provably not accepted. */
  readonly submittedAt: number | null;
  /** Whether the order was sent again while an earlier submission might have been accepted. */
  readonly ambiguous: boolean;
  /** For `placed`: the order that the broker returned first. */
  readonly order: Order | undefined;
  readonly problem: Problem | undefined;
  /** Time when the order was inferred to be absent at the broker, even if it was found later. Null if it never was. */
  readonly writtenOffAt: number | null;
}

export interface OrderClaim extends OrderKey {
  readonly digest: string;
  /** The order's approval, usable once. */
  readonly approval: ApprovalId;
  readonly draft: OrderDraft;
  readonly replaces?: string | undefined;
  /** The mandate under which the order is placed, and its slot in the mandate. */
  readonly mandate?: string | undefined;
  readonly slot?: string | undefined;
}

/** An order for which its account's other orders are counted. */
export type Counting = OrderKey & Pick<OrderClaim, 'draft' | 'replaces'>;

/** An order that was or may have been sent and that may still be open. */
export interface OpenOrderEntry extends OrderKey {
  /** The broker's ID of the order. Null until the broker has confirmed the order. */
  readonly orderId: string | null;
}

/** How much of its limits an account has used, except limits per symbol. */
export type LimitUsage = Pick<
  CountedTotals,
  'state' | 'day_notional' | 'day_orders' | 'last_minute' | 'open_orders' | 'clock_behind'
>;

/**
 * The journal that ensures that at most one order is sent per approval. Each method checks its condition and writes its
 * changes in one transaction, which is on disk when the promise resolves. Times are milliseconds since the epoch.
 *
 * @example
 * ```ts
 * import type { OrderClaim, OrderJournal } from './order-journal.ts';
 *
 * // However many callers and processes try this, only one may send.
 * export async function sendOnce(journal: OrderJournal, claim: OrderClaim, send: () => Promise<void>): Promise<boolean> {
 *   const isMine = (await journal.claim(claim, Date.now())) === 'claimed';
 *   if (isMine) await send();
 *   return isMine;
 * }
 * ```
 */
export interface OrderJournal {
  find(sub: string, clientOrderId: string): Promise<JournalEntry | undefined>;
  /**
   * Uses the approval and writes the intent. Returns `known` if the user already has an order with this
   * `client_order_id`, `approval_used` if the approval was used for something else, and `denied` if `decide` denied the
   * order. In these cases, neither the approval is used nor the order written. The decision is always written.
   *
   * The claimed order counts at its worst case (`countOf`) until it is recorded as rejected. An order that is written
   * off counts until `reservedUntil`.
   * @param decide called inside the transaction with the counted facts; must be synchronous and pure
   */
  claim(
    claim: OrderClaim,
    now: number,
    decide?: (counted: CountedTotals) => DecisionNote,
  ): Promise<'claimed' | 'known' | 'approval_used' | 'denied'>;
  /**
   * Counts the account's other orders, so that this order can be checked against the limits. "Now" is never before the
   * account's newest order, so setting the clock back frees no limit.
   */
  counted(order: Counting, now: number): Promise<CountedTotals>;
  usage(sub: string, account: string, now: number): Promise<LimitUsage>;
  /** Oldest first. */
  open(account: string, limit: number): Promise<OpenOrderEntry[]>;
  /**
   * Notes the broker's report on a placed order. Once the order is closed, only its filled part counts toward amounts,
   * but it still counts as one of the day's orders.
   */
  over(key: OrderKey, order: Order, now: number): Promise<void>;
  /**
   * Claims the right to send an unsettled order again. Returns `stale` if the order is settled, or if it was sent or
   * released since `seen` was read (which `submissions` and `submittedAt` show).
   */
  reclaim(seen: JournalEntry, now: number): Promise<'claimed' | 'stale'>;
  /**
   * Notes that the last submission was definitely not accepted. Returns `stale` and writes nothing if an earlier
   * submission may have been accepted, or if the order is settled.
   */
  release(key: OrderKey, now: number): Promise<'released' | 'stale'>;
  /**
   * Records as rejected an order whose last submission was refused or never made, and of which no earlier submission
   * can have been accepted. Returns `stale` as `release` does.
   */
  refuse(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /**
   * Records that the broker has the order. This is proof, so it overrides `rejected`: the order then counts again, in
   * its mandate's slot too, even if a limit is exceeded. If the order was already recorded as placed, its first result
   * is kept.
   * @returns `adopted` if it was recorded as rejected before, and `known` if it was recorded as placed before
   */
  place(key: OrderKey, order: Order, now: number): Promise<'placed' | 'adopted' | 'known'>;
  /** Records that the broker has a different order with this ID. An earlier result is kept. */
  reject(key: OrderKey, problem: Problem, now: number): Promise<void>;
  /**
   * Records the inference that the broker does not have the order and that no submission can still arrive. The order
   * counts until `reservedUntil`. Returns `stale` as `reclaim` does.
   */
  writeOff(
    seen: JournalEntry,
    problem: Problem,
    times: { readonly now: number; readonly reservedUntil: number },
  ): Promise<'written_off' | 'stale'>;
  /**
   * Rejects an unsent order whose proposal has ended. Returns `stale` if the order may have been sent, is settled, or
   * does not exist.
   */
  abandon(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /** Returns unsettled orders that were not sent. Oldest first. */
  unsent(): Promise<JournalEntry[]>;
  /** Returns orders that were written off since this time, including those that were found afterwards. Oldest first. */
  writtenOff(since: number): Promise<JournalEntry[]>;
  /** Returns users and accounts with orders that were claimed since this time. */
  accountsSince(since: number): Promise<{ readonly sub: string; readonly account: string }[]>;
  /**
   * Marks the outcome as unknown, unless the order is settled. A suspended process may have sent the order as late as
   * `now`.
   */
  doubt(key: OrderKey, now: number): Promise<void>;
}
