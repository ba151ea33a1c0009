import type { CountedTotals } from '../trading/counted-order.ts';
import type { OrderDraft } from '../trading/order.ts';
import type { OrderType } from '../trading/order-types.ts';
import type { Order, Problem } from '../trading/views.ts';
import type { NewPolicyDecision } from './decision-store.ts';
import type { ApprovalId } from './used-approval.ts';

/**
 * The state of an order, as far as the journal can prove it:
 *
 *     intent ──▶ placed      the broker has it
 *       │  ▲ └─▶ rejected    the broker rejected it, or it was never sent, or it was written off ──▶ placed
 *       ▼  │
 *     unknown ──▶ placed | rejected
 *
 * `placed` is final. `rejected` is final unless there is proof to the contrary: an order is written off if the broker
 * apparently does not have it, but becomes `placed` if the broker responds after all or a lookup finds it. `intent` is
 * written before the broker is called. A leftover `intent` therefore means that the process died or that another
 * process is sending the order.
 */
export type OrderJournalState = 'intent' | 'placed' | 'rejected' | 'unknown';

/** An order's key. IDs are separate for each user, so nobody can block another user's ID by using it first. */
export interface OrderKey {
  readonly sub: string;
  readonly clientOrderId: string;
}

export interface OrderJournalEntry extends OrderKey {
  readonly digest: string;
  readonly draft: OrderDraft;
  /** The broker's ID of the order that this order replaces. */
  readonly replaces: string | undefined;
  readonly state: OrderJournalState;
  /** Number of submissions, including one that is about to start: each claim of the right to send adds one. */
  readonly submissions: number;
  /** Time of the last submission. Null if the broker provably accepted none of the submissions. */
  readonly submittedAt: number | null;
  /** Whether the order was sent again although the broker may have accepted an earlier submission. */
  readonly ambiguous: boolean;
  /** For `placed`: the order as the broker first returned it. */
  readonly order: Order | undefined;
  readonly problem: Problem | undefined;
  /** Time when the order was written off, even if it was found later. Null if it was never written off. */
  readonly writtenOffAt: number | null;
}

export interface OrderClaim extends OrderKey {
  readonly digest: string;
  readonly approval: ApprovalId;
  readonly draft: OrderDraft;
  readonly replaces?: string | undefined;
  readonly mandate?: string | undefined;
  readonly slot?: string | undefined;
}

/** An order to check against limits, together with the account's other orders. */
export type OrderToCheck = OrderKey & Pick<OrderClaim, 'draft' | 'replaces'>;

export interface OpenOrderEntry extends OrderKey {
  /** The broker's ID of the order. Null until the broker has confirmed that it has the order. */
  readonly orderId: string | null;
}

/** How much of its limits an account has used. Does not include limits per symbol. */
export type LimitUsage = Pick<
  CountedTotals,
  'state' | 'day_notional' | 'day_orders' | 'last_minute' | 'open_orders' | 'clock_behind'
>;

/**
 * Journal that ensures that at most one order is sent per approval. Each method checks its condition and writes its
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
  find(sub: string, clientOrderId: string): Promise<OrderJournalEntry | undefined>;
  /** Returns the approved types of those orders that are in the journal, by `client_order_id`. */
  approvedTypes(sub: string, clientOrderIds: readonly string[]): Promise<ReadonlyMap<string, OrderType>>;
  /**
   * Uses the approval and writes the intent. Returns `known` if the user already has an order with this
   * `client_order_id`, `approval_used` if the approval was used for something else, and `denied` if `decide` denied the
   * order. In these three cases, the approval is not used and the order is not written. The decision is always written.
   *
   * A claimed order counts at its worst case (`countOf`) until it is recorded as rejected. An order that is written off
   * counts until `reservedUntil`.
   * @param decide called inside the transaction with the counted facts; must be synchronous and pure
   */
  claim(
    claim: OrderClaim,
    now: number,
    decide?: (counted: CountedTotals) => NewPolicyDecision,
  ): Promise<'claimed' | 'known' | 'approval_used' | 'denied'>;
  /**
   * Counts the account's other orders, so that this order can be checked against the limits. If the clock is behind the
   * account's newest order, uses that order's time, so that setting the clock back does not free up limits.
   */
  count(order: OrderToCheck, now: number): Promise<CountedTotals>;
  usage(sub: string, account: string, now: number): Promise<LimitUsage>;
  /** Returns whether the broker accepted an order of the person for this symbol, at any time. */
  hasTraded(sub: string, symbol: string): Promise<boolean>;
  /** Returns open orders, oldest first. */
  open(account: string, limit: number): Promise<OpenOrderEntry[]>;
  /**
   * Records the broker's report on a placed order. If the order is closed, only its filled part still counts toward
   * limits on amounts, but the order still counts toward the limit on orders per day.
   */
  recordReport(key: OrderKey, order: Order, now: number): Promise<void>;
  /**
   * Claims the right to send an unsettled order again. Returns `stale` if the order is settled, or if it was sent or
   * released since `seen` was read (its `submissions` or `submittedAt` differs).
   */
  reclaim(seen: OrderJournalEntry, now: number): Promise<'claimed' | 'stale'>;
  /**
   * Records that the broker definitely did not accept the last submission. Returns `stale` and writes nothing if the
   * broker may have accepted an earlier submission, or if the order is settled.
   */
  release(key: OrderKey, now: number): Promise<'released' | 'stale'>;
  /**
   * Rejects an order whose last submission was refused or never made, if the broker cannot have accepted an earlier
   * submission. Otherwise, returns `stale` and writes nothing.
   */
  refuse(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /**
   * Records that the broker has the order. Because this is proof, it overrides `rejected`: the order then counts again,
   * also toward its mandate, even if a limit is exceeded. If the order was already recorded as placed, its first result
   * is kept.
   * @returns `adopted` if the order was recorded as rejected before, and `known` if it was already recorded as placed
   */
  place(key: OrderKey, order: Order, now: number): Promise<'placed' | 'adopted' | 'known'>;
  /** Rejects the order, because the broker has a different order with this ID. Does nothing if the order is settled. */
  reject(key: OrderKey, problem: Problem, now: number): Promise<void>;
  /**
   * Writes the order off: the broker apparently does not have it, and no submission can still reach the broker. The
   * order counts until `reservedUntil`. Returns `stale` in the same cases as `reclaim`.
   */
  writeOff(
    seen: OrderJournalEntry,
    problem: Problem,
    times: { readonly now: number; readonly reservedUntil: number },
  ): Promise<'written_off' | 'stale'>;
  /** Rejects an unsent order whose proposal ended. Returns `stale` if it is missing, settled or possibly sent. */
  abandon(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /** Returns unsettled orders that the broker can't have accepted, oldest first. */
  unsent(): Promise<OrderJournalEntry[]>;
  /** Returns orders that were written off at or after this time, even if they were found afterwards. Oldest first. */
  writtenOff(since: number): Promise<OrderJournalEntry[]>;
  /** Returns each user and account with an order that was claimed at or after this time. */
  accountsSince(since: number): Promise<{ readonly sub: string; readonly account: string }[]>;
  /**
   * Changes an order's state from `intent` to `unknown`. Also sets `submittedAt` to `now`, because a suspended process
   * may have sent the order until then.
   */
  markUnknown(key: OrderKey, now: number): Promise<void>;
}
