import type { CountedFacts } from '../trading/counted-order.ts';
import type { OrderDraft } from '../trading/order.ts';
import type { Order, Problem } from '../trading/views.ts';
import type { DecisionNote } from './decision-store.ts';
import type { Approval } from './used-approval.ts';

/**
 * Where an order is, as far as we can prove:
 *
 *     intent ──▶ placed      the broker has it
 *       │  ▲ └─▶ rejected    the broker said no, nothing was ever sent, or it was written off ──▶ placed
 *       ▼  │
 *     unknown ──▶ placed | rejected
 *
 * `placed` is final. `rejected` is final too, except against proof: an order that was written off was only inferred to be
 * absent, and becomes `placed` when the broker answers after all or a lookup finds it. `intent` is written before the broker
 * is called, so an intent found later means that the process died, or that another one is sending the order.
 */
export type JournalState = 'intent' | 'placed' | 'rejected' | 'unknown';

/** An order's id is unique per user: nobody can take another's. */
export interface OrderKey {
  readonly sub: string;
  readonly clientOrderId: string;
}

export interface JournalEntry extends OrderKey {
  readonly digest: string;
  readonly draft: OrderDraft;
  /** The broker's id of the order that this one replaces. */
  readonly replaces: string | undefined;
  readonly state: JournalState;
  /** How many times it was sent, or about to be: the epoch of the right to send it. */
  readonly submissions: number;
  /** When it was last sent; null if it is proved that nothing came of any submission. */
  readonly submittedAt: number | null;
  /** It was sent while an earlier submission might have been accepted. */
  readonly ambiguous: boolean;
  /** The first result, for `placed`. */
  readonly order: Order | undefined;
  /** The first result, for `rejected`. */
  readonly problem: Problem | undefined;
  /** When it was inferred that the broker does not have it; kept if the order is found afterwards, null if that was never inferred. */
  readonly writtenOffAt: number | null;
}

export interface Claim extends OrderKey {
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  readonly draft: OrderDraft;
  /** As {@link JournalEntry.replaces}. */
  readonly replaces?: string | undefined;
  /** The mandate that it is placed under, and its slot there. */
  readonly mandate?: string | undefined;
  readonly slot?: string | undefined;
}

/** An order as it is counted against those of its account. */
export type Counting = OrderKey & Pick<Claim, 'draft' | 'replaces'>;

/** An order that was or may have been sent, and is not known to be over. */
export interface OpenEntry extends OrderKey {
  /** The broker's id; null until the broker has confirmed the order. */
  readonly orderId: string | null;
}

/** What an account has used of its limits, except those per symbol. */
export type Usage = Pick<
  CountedFacts,
  'state' | 'day_notional' | 'day_orders' | 'last_minute' | 'open_orders' | 'clock_behind'
>;

/**
 * The record that makes one approval one order. Each method is one unit of work: its condition is looked at, and all of it
 * is written, in one transaction that is on disk when the promise resolves. Times are milliseconds since the epoch.
 *
 * @example
 * ```ts
 * import type { Claim, OrderJournal } from './order-journal.ts';
 *
 * // However many callers and processes ask, one may send.
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
   * Uses the approval and writes the intent. `known`: the user has this client_order_id already. `approval_used`: for
   * something else. `denied`: by `decide`. In these three cases no approval is used and no order written; a decision always is.
   *
   * From then on the order counts at its worst case (`countOf`) until it is recorded as refused; one that is written off
   * counts until `reservedUntil`.
   * @param decide called inside the transaction with what is counted in it; synchronous and pure
   */
  claim(
    claim: Claim,
    now: number,
    decide?: (counted: CountedFacts) => DecisionNote,
  ): Promise<'claimed' | 'known' | 'approval_used' | 'denied'>;
  /**
   * What an order is held to: everything its account has out. "Now" is never before the account's newest order, so a clock
   * that is set back frees no limit.
   */
  counted(order: Counting, now: number): Promise<CountedFacts>;
  usage(sub: string, account: string, now: number): Promise<Usage>;
  /** Oldest first. */
  open(account: string, limit: number): Promise<OpenEntry[]>;
  /**
   * The broker reports on a placed order. If it is over, it counts for the filled part only, though still as one of the
   * day's orders.
   */
  over(key: OrderKey, order: Order, now: number): Promise<void>;
  /**
   * Takes the right to send an unsettled order again. `stale`: it was sent or released since `seen` was read (`submissions`
   * and `submittedAt` are compared), or is settled.
   */
  reclaim(seen: JournalEntry, now: number): Promise<'claimed' | 'stale'>;
  /**
   * The last submission was definitely not accepted. `stale`: an earlier one may have been, or the order is settled; nothing
   * was written.
   */
  release(key: OrderKey, now: number): Promise<'released' | 'stale'>;
  /** The last submission was refused or never made, and no earlier one can have been accepted. `stale` as for a release. */
  refuse(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /**
   * The broker has it: proof, which overrides `rejected`. Such an order counts again, in its mandate's slot too, even beyond
   * the bound. The first order that was recorded as placed stays as it is.
   * @returns `adopted`: it was recorded as rejected before; `known`: it was recorded as placed before
   */
  place(key: OrderKey, order: Order, now: number): Promise<'placed' | 'adopted' | 'known'>;
  /** The broker has another order under this id. An earlier result stays. */
  reject(key: OrderKey, problem: Problem, now: number): Promise<void>;
  /**
   * Infers that the broker does not have the order and that no submission can still arrive; it counts until
   * `reservedUntil`. `stale` as for a reclaim.
   */
  writeOff(
    seen: JournalEntry,
    problem: Problem,
    times: { readonly now: number; readonly reservedUntil: number },
  ): Promise<'written_off' | 'stale'>;
  /** Ends an order whose proposal has ended and of which nothing is out. `stale`: something may be, it is settled, or not there. */
  abandon(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /** Unsettled orders of which nothing is out, oldest first. */
  unsent(): Promise<JournalEntry[]>;
  /** Orders written off since then, whether or not they were found afterwards; oldest first. */
  writtenOff(since: number): Promise<JournalEntry[]>;
  /** Users and accounts with orders claimed since then. */
  accountsSince(since: number): Promise<{ readonly sub: string; readonly account: string }[]>;
  /** Its outcome is unknown; a settled order stays so. It may have been sent as late as `now`: its process may have stood still. */
  doubt(key: OrderKey, now: number): Promise<void>;
}
