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

/** Whose order, and its id, which is unique among that user's alone: nobody can take another's. */
export interface OrderKey {
  readonly sub: string;
  readonly clientOrderId: string;
}

export interface JournalEntry extends OrderKey {
  readonly digest: string;
  readonly draft: OrderDraft;
  /** The broker's id of the order in whose place this one is put. */
  readonly replaces: string | undefined;
  readonly state: JournalState;
  /** How many times the order went out, or was about to: the epoch of the right to send it. */
  readonly submissions: number;
  /** When it last went out; null when every time it went out was proved to have come to nothing. */
  readonly submittedAt: number | null;
  /** True once a submission went out while an earlier one might have been taken. */
  readonly ambiguous: boolean;
  /** The first result, for `placed`. */
  readonly order: Order | undefined;
  /** The first result, for `rejected`. */
  readonly problem: Problem | undefined;
  /**
   * When it was inferred that the broker does not have it; null for an order whose state was always proved. It stays when the
   * order is found afterwards.
   */
  readonly writtenOffAt: number | null;
}

export interface Claim extends OrderKey {
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  readonly draft: OrderDraft;
  /** The broker's id of the order in whose place this one is put. */
  readonly replaces?: string | undefined;
  /** Under which mandate of the person's, and in which of its slots, where it is under one. */
  readonly mandate?: string | undefined;
  readonly slot?: string | undefined;
}

/** An order as it is counted against those of its account. */
export type Counting = OrderKey & Pick<Claim, 'draft' | 'replaces'>;

/** An order that went out, or may have, and is not known to be over. */
export interface OpenEntry extends OrderKey {
  /** The broker's id of it; null where the broker has not been heard to have it. */
  readonly orderId: string | null;
}

/** What an account has used up, but for what is about one symbol. */
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
 * // The right to send is one caller's alone, however many ask for it, in however many processes.
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
   * Uses the approval and writes the intent. `known`: there is an entry for this client_order_id of theirs already.
   * `approval_used`: for another order, or a message. `denied`: as `decide` says. In each of the three nothing was used, and
   * no order written. What was decided is written with it, also where it was denied.
   *
   * From then on the order counts, at what it can come to at worst (`countOf`), until it is recorded as refused; one that is
   * written off counts until `reservedUntil`.
   * @param decide by what is counted in this transaction. It is the one piece of the caller's code that runs inside one: it
   *   must be synchronous, and change nothing
   */
  claim(
    claim: Claim,
    now: number,
    decide?: (counted: CountedFacts) => DecisionNote,
  ): Promise<'claimed' | 'known' | 'approval_used' | 'denied'>;
  /**
   * What an order meets: all that its account has out. "Now" is never before the account's newest order: a clock that is
   * set back gives nothing back.
   */
  counted(order: Counting, now: number): Promise<CountedFacts>;
  /** What a person's account has used up by now. */
  usage(sub: string, account: string, now: number): Promise<Usage>;
  /** The account's orders that are not known to be over; the oldest first. */
  open(account: string, limit: number): Promise<OpenEntry[]>;
  /**
   * The broker says that a placed order is over. One that was filled in part counts from now on for that part, one that was
   * not filled for nothing; both stay orders of their day. Changes nothing for an order that is not over.
   */
  over(key: OrderKey, order: Order, now: number): Promise<void>;
  /**
   * Takes the right to send an unsettled order again. `stale`: anybody else did since `seen` was read, or released it (its
   * `submissions` and `submittedAt` are compared), or it is settled.
   */
  reclaim(seen: JournalEntry, now: number): Promise<'claimed' | 'stale'>;
  /**
   * The last submission was definitely not taken. `stale`: an earlier one may have been, since somebody else has sent the
   * order too, or it is settled; nothing was written.
   */
  release(key: OrderKey, now: number): Promise<'released' | 'stale'>;
  /**
   * The last submission was refused, or never made, and no earlier one can have been taken. `stale` as for a release.
   */
  refuse(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /**
   * The broker has it: proof, which overrides `rejected`. Such an order counts again, and takes its place in its mandate's slot
   * again, beyond the bound if necessary. The first order that was recorded as placed stays as it is.
   * @returns `adopted`: it was recorded as rejected before; `known`: it was recorded as placed before
   */
  place(key: OrderKey, order: Order, now: number): Promise<'placed' | 'adopted' | 'known'>;
  /** The broker has another order under this id; a first result stays as it is. */
  reject(key: OrderKey, problem: Problem, now: number): Promise<void>;
  /**
   * It is inferred that the broker does not have the order and that no submission can still arrive. Until `reservedUntil` it
   * counts as if it could. `stale`: somebody sent it again since `seen` was read, or it is settled.
   */
  writeOff(
    seen: JournalEntry,
    problem: Problem,
    times: { readonly now: number; readonly reservedUntil: number },
  ): Promise<'written_off' | 'stale'>;
  /**
   * Ends an order of which nothing is out: its proposal has ended, so nothing will be. `stale`: a submission may be out, it is
   * settled, or there is no such order.
   */
  abandon(key: OrderKey, problem: Problem, now: number): Promise<'rejected' | 'stale'>;
  /** The orders of which nothing is out, and that are not settled; the oldest first. */
  unsent(): Promise<JournalEntry[]>;
  /** The orders that were written off since then, and those of them that were found afterwards; the oldest first. */
  writtenOff(since: number): Promise<JournalEntry[]>;
  /** Whose orders were claimed since then, and in which accounts. */
  accountsSince(since: number): Promise<{ readonly sub: string; readonly account: string }[]>;
  /**
   * Its outcome is not known; one that is settled stays so. It may have left as late as `now`, long after it was claimed: its
   * process may have stood still in between.
   */
  doubt(key: OrderKey, now: number): Promise<void>;
}
