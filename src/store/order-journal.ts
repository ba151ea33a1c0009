import type { CountedFacts } from '../trading/counted-order.ts';
import type { OrderDraft } from '../trading/order.ts';
import type { Order, Problem } from '../trading/views.ts';
import type { DecisionNote } from './decision-store.ts';
import type { Approval } from './used-approval.ts';

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

/** An order's key. IDs are unique per user, so nobody can claim another user's ID. */
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
  /** Number of submissions, including one that is about to start. It is the epoch of the right to send the order. */
  readonly submissions: number;
  /** Time of the last submission. Null if it is proven that no submission was accepted. */
  readonly submittedAt: number | null;
  /** Whether it was sent while an earlier submission might have been accepted. */
  readonly ambiguous: boolean;
  /** The first result, for `placed`. */
  readonly order: Order | undefined;
  /** The first result, for `rejected`. */
  readonly problem: Problem | undefined;
  /** Time when the order was inferred to be absent at the broker, even if it was found later. Null if it never was. */
  readonly writtenOffAt: number | null;
}

export interface Claim extends OrderKey {
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  readonly draft: OrderDraft;
  /** Same as {@link JournalEntry.replaces}. */
  readonly replaces?: string | undefined;
  /** The mandate that it is placed under, and its slot there. */
  readonly mandate?: string | undefined;
  readonly slot?: string | undefined;
}

/** An order for which the limits of its account are counted. */
export type Counting = OrderKey & Pick<Claim, 'draft' | 'replaces'>;

/** An order that was or may have been sent, and is not known to be closed. */
export interface OpenEntry extends OrderKey {
  /** The broker's ID. Null until the broker has confirmed the order. */
  readonly orderId: string | null;
}

/** An account's use of its limits, except limits per symbol. */
export type Usage = Pick<
  CountedFacts,
  'state' | 'day_notional' | 'day_orders' | 'last_minute' | 'open_orders' | 'clock_behind'
>;

/**
 * The journal that ensures one order per approval. Each method checks its condition and writes its changes in one
 * transaction, which is on disk when the promise resolves. Times are milliseconds since the epoch.
 *
 * @example
 * ```ts
 * import type { Claim, OrderJournal } from './order-journal.ts';
 *
 * // However many callers and processes try this, only one may send.
 * export async function sendOnce(journal: OrderJournal, claim: Claim, send: () => Promise<void>): Promise<boolean> {
 *   const isMine = (await journal.claim(claim, Date.now())) === 'claimed';
 *   if (isMine) await send();
 *   return isMine;
 * }
 * ```
 */
export interface OrderJournal {
  find(sub: string, clientOrderId: string): Promise<JournalEntry | undefined>;
  /**
   * Uses the approval and writes the intent. Returns `known` if the user already has this client_order_id, `approval_used` if
   * the approval was used for something else, and `denied` if `decide` denied it. In these cases, no approval is used and
   * no order is written. The decision is always written.
   *
   * From then on, the order counts at its worst case (`countOf`) until it is recorded as refused. An order that is written
   * off counts until `reservedUntil`.
   * @param decide called inside the transaction with the counted facts; must be synchronous and pure
   */
  claim(
    claim: Claim,
    now: number,
    decide?: (counted: CountedFacts) => DecisionNote,
  ): Promise<'claimed' | 'known' | 'approval_used' | 'denied'>;
  /**
   * Counts the account's other orders, against which an order is checked. "Now" is never before the account's newest order,
   * so setting the clock back frees no limit.
   */
  counted(order: Counting, now: number): Promise<CountedFacts>;
  usage(sub: string, account: string, now: number): Promise<Usage>;
  /** Oldest first. */
  open(account: string, limit: number): Promise<OpenEntry[]>;
  /**
   * Notes the broker's report on a placed order. If the order is closed, only its filled part counts, although it still
   * counts as one of the day's orders.
   */
  over(key: OrderKey, order: Order, now: number): Promise<void>;
  /**
   * Claims the right to send an unsettled order again. Returns `stale` if it was sent or released since `seen` was read
   * (`submissions` and `submittedAt` are compared), or is settled.
   */
  reclaim(seen: JournalEntry, now: number): Promise<'claimed' | 'stale'>;
  /**
   * Notes that the last submission was definitely not accepted. Returns `stale` and writes nothing if an earlier one may have
   * been accepted, or if the order is settled.
   */
  release(key: OrderKey, now: number): Promise<'released' | 'stale'>;
  /** Notes that the last submission was refused or never made, and that no earlier one can have been accepted. `stale` as in `release`. */
  refuse(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /**
   * Records that the broker has the order. This is proof, so it overrides `rejected`: the order then counts again, also in
   * its mandate's slot, even if that exceeds a limit. A result that was recorded as placed is not changed.
   * @returns `adopted` if it was recorded as rejected before, and `known` if it was recorded as placed before
   */
  place(key: OrderKey, order: Order, now: number): Promise<'placed' | 'adopted' | 'known'>;
  /** Records that the broker has a different order with this ID. An earlier result is not changed. */
  reject(key: OrderKey, problem: Problem, now: number): Promise<void>;
  /**
   * Records the inference that the broker does not have the order and that no submission can still arrive. The order counts
   * until `reservedUntil`. `stale` as in `reclaim`.
   */
  writeOff(
    seen: JournalEntry,
    problem: Problem,
    times: { readonly now: number; readonly reservedUntil: number },
  ): Promise<'written_off' | 'stale'>;
  /** Ends an unsent order whose proposal has ended. Returns `stale` if it may have been sent, is settled, or does not exist. */
  abandon(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /** Returns unsettled orders that were not sent. Oldest first. */
  unsent(): Promise<JournalEntry[]>;
  /** Returns orders written off since then, including those found afterwards. Oldest first. */
  writtenOff(since: number): Promise<JournalEntry[]>;
  /** Returns users and accounts with orders claimed since then. */
  accountsSince(since: number): Promise<{ readonly sub: string; readonly account: string }[]>;
  /** Marks the outcome as unknown unless the order is settled. It may have been sent as late as `now`, by a suspended process. */
  doubt(key: OrderKey, now: number): Promise<void>;
}
