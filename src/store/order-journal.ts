import type { OrderDraft } from '../trading/order.ts';
import type { Order, Problem } from '../trading/views.ts';
import type { Approval } from './used-approval.ts';

/**
 * Where an order is, as far as we can prove:
 *
 *     intent ──▶ placed      the broker has it
 *       │  ▲ └─▶ rejected    the broker said no, or it can no longer come about
 *       ▼  │
 *     unknown ──▶ placed | rejected
 *
 * `placed` and `rejected` are final. `intent` is written before the broker is called, so an intent found later means
 * that the process died, or another one is at it.
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
}

export interface Claim extends OrderKey {
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  readonly draft: OrderDraft;
  /** The broker's id of the order in whose place this one is put. */
  readonly replaces?: string | undefined;
  /** How many of the person's orders there may be since then, this one included; counted as by `countSince`. */
  readonly atMost?: { readonly orders: number; readonly since: number } | undefined;
}

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
   * `approval_used`: for another order, or a message. `too_many`: it would be more than `atMost`. In each of the three
   * nothing was used or written.
   */
  claim(claim: Claim, now: number): Promise<'claimed' | 'known' | 'approval_used' | 'too_many'>;
  /** How many orders of a person were claimed since, that moment included, and not refused; but for the one named. */
  countSince(since: number, but: OrderKey): Promise<number>;
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
  /** The broker has it, as is proved; a first result stays as it is. */
  place(key: OrderKey, order: Order, now: number): Promise<void>;
  /** It will never come about, as is proved whatever was sent; a first result stays as it is. */
  reject(key: OrderKey, problem: Problem, now: number): Promise<void>;
  /** Its outcome is not known; one that is settled stays so. */
  doubt(key: OrderKey, now: number): Promise<void>;
}
