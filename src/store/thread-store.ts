import { isSettledState, type Proposal } from '../trading/proposal.ts';

/** Whose threads: of a profile, and of who is signed in; undefined where nobody is. */
export interface ThreadOwner {
  readonly profile: string;
  readonly sub: string | undefined;
}

/** How a thread's latest run ended; `running` for one that did not, be it under way or cut off. */
export type StoredThreadStatus =
  | 'running'
  | 'done'
  | 'pending'
  | 'denied'
  | 'expired'
  | 'blocked'
  | 'unknown'
  | 'failed';

export interface Thread {
  readonly id: string;
  readonly profile: string;
  /** Whose it is; undefined for one begun before anyone signed in. */
  readonly sub: string | undefined;
  /** What was said first, cut short. */
  readonly title: string;
  readonly status: StoredThreadStatus;
  /** Milliseconds since the epoch. */
  readonly updatedAt: number;
}

/** The right to drive a thread: one run at a time. Each time it is taken the epoch rises. */
export interface Lease {
  readonly thread: string;
  readonly holder: string;
  readonly epoch: number;
}

/** A thread, and who has the right to drive it. */
export interface LeasedThread extends Thread {
  /** Undefined where nobody has it. */
  readonly holder: string | undefined;
  readonly epoch: number;
  /** Until when, milliseconds since the epoch. */
  readonly until: number;
}

/** A proposal of a thread's, as it was last seen; the gateway's word is the one that counts. */
export interface ThreadProposal {
  readonly thread: string;
  /** Which prompt of the thread it belongs to, counted from 1. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly proposal: Proposal;
}

/**
 * Threads, and who drives them. Each method is one unit of work, in one transaction that is on disk when the promise
 * resolves: the epoch that the caller read stands in its arguments, and the answer says whether it held. Times are
 * milliseconds since the epoch.
 *
 * @example
 * ```ts
 * import type { LeasedThread, Lease, ThreadOwner, ThreadStore } from './thread-store.ts';
 *
 * // The right to drive a thread for a minute, which one of two gets who found it alike.
 * export async function take(threads: ThreadStore, found: LeasedThread, owner: ThreadOwner): Promise<Lease | undefined> {
 *   const [id, expected, now] = [found.id, found.epoch, Date.now()];
 *   const begun = await threads.begin({ id, owner, holder: 'me', expected, now, until: now + 60_000 });
 *   return begun.outcome === 'begun' ? begun.lease : undefined;
 * }
 * ```
 */
export interface ThreadStore {
  find(id: string): Promise<LeasedThread | undefined>;
  /** Newest first. Those begun before anyone signed in are everybody's of the profile. */
  list(owner: ThreadOwner): Promise<Thread[]>;
  /**
   * Takes the right to drive a thread, and where something is said in it notes that it runs; makes the thread where there
   * is none. A thread begun before signing in becomes the user's with their first word in it.
   * @param run.title what is said in it, by which a new one is known; left out by a run that goes on where the last one stopped
   * @param run.expected the epoch that was read; undefined for a thread that is not there
   */
  begin(run: {
    readonly id: string;
    readonly owner: ThreadOwner;
    readonly title?: string | undefined;
    readonly holder: string;
    readonly expected: number | undefined;
    readonly now: number;
    readonly until: number;
  }): Promise<
    | { readonly outcome: 'begun'; readonly thread: Thread; readonly lease: Lease }
    | { readonly outcome: 'stale' }
  >;
  isHeld(lease: Lease): Promise<boolean>;
  /** Keeps a holder's leases of these threads until then. Returns the ids of those that it still holds. */
  renew(holder: string, ids: readonly string[], until: number): Promise<string[]>;
  /** Notes how a run ended, where it still holds the thread, and gives the lease back. */
  end(lease: Lease, status: StoredThreadStatus | undefined, now: number): Promise<void>;
  /** Notes that a thread of unknown outcome has none any more: what is left is to resume it. */
  reconciled(id: string): Promise<void>;
  /**
   * Removes a thread: conversation, what was seen of its proposals, and the thread itself. `stale`: somebody took the
   * right to drive it since its epoch was read, or one of its proposals is not settled; then nothing was removed.
   */
  remove(id: string, expected: { readonly epoch: number }): Promise<'removed' | 'stale'>;
}

/** Which proposals are whose, so that a thread knows its own without asking anybody. */
export interface ThreadProposals {
  /**
   * Stores the proposal for its thread, or its newer state for every thread that shares it; an older state never replaces
   * a newer one. Reads and writes in one unit of work.
   * @returns what was stored for this thread before, and what is stored now
   */
  note(
    seen: ThreadProposal,
  ): Promise<{ readonly before: Proposal | undefined; readonly kept: ThreadProposal }>;
  /** @param thread whose entry to read; the first thread that had the proposal by default */
  get(id: string, thread?: string): Promise<ThreadProposal | undefined>;
  /** Oldest first. @param prompt one prompt's */
  ofThread(thread: string, prompt?: number): Promise<ThreadProposal[]>;
  /** A user's, oldest first; once for each thread that shares a proposal. */
  list(owner: ThreadOwner): Promise<ThreadProposal[]>;
}

/** A slow answer may tell of a moment that is over. */
function isOlder(seen: Proposal, kept: Proposal): boolean {
  if (isSettledState(kept.state) && !isSettledState(seen.state)) return true;
  return Date.parse(seen.updated_at) < Date.parse(kept.updated_at);
}

/** Of what was said first so much is kept to know the thread by. */
export const TITLE_LENGTH = 80;

/** What to keep for a thread that saw a proposal. @param stored what each thread that shares it has, in the order they got it */
export function mergeSeen(
  seen: ThreadProposal,
  stored: readonly ThreadProposal[],
): { readonly before: Proposal | undefined; readonly kept: ThreadProposal } {
  const own = stored.find(({ thread }) => thread === seen.thread);
  const newest = stored.reduce(
    (latest, { proposal }) => (isOlder(latest, proposal) ? proposal : latest),
    seen.proposal,
  );
  return { before: own?.proposal, kept: { ...(own ?? seen), proposal: newest } };
}
