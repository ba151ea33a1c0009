import { isSettledState, type Proposal } from '../trading/proposal.ts';

/** Whose threads: a profile's, and the signed-in user's; `sub` is undefined if nobody is signed in. */
export interface ThreadOwner {
  readonly profile: string;
  readonly sub: string | undefined;
}

/** How a thread's latest run ended; `running` if it has not, or was cut off. */
export type StoredThreadStatus =
  | 'running'
  | 'done'
  | 'pending'
  | 'denied'
  | 'expired'
  | 'blocked'
  | 'unknown'
  | 'failed';

export interface Thread extends ThreadOwner {
  readonly id: string;
  /** The first prompt, cut to {@link TITLE_LENGTH}. */
  readonly title: string;
  readonly status: StoredThreadStatus;
  /** Milliseconds since the epoch, as all times here. */
  readonly updatedAt: number;
}

/** The right to drive a thread: one run at a time. Each time it is taken the epoch rises. */
export interface Lease {
  readonly thread: string;
  readonly holder: string;
  readonly epoch: number;
}

export interface LeasedThread extends Thread {
  /** Who may drive it; undefined if nobody does. */
  readonly holder: string | undefined;
  readonly epoch: number;
  readonly until: number;
}

/** A thread's proposal as last seen; the gateway's copy is the authoritative one. */
export interface ThreadProposal {
  readonly thread: string;
  /** Number of the prompt it belongs to, from 1. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly proposal: Proposal;
}

/** Threads, and who drives them. Each method is one transaction, on disk when the promise resolves. */
export interface ThreadStore {
  find(id: string): Promise<LeasedThread | undefined>;
  /** Newest first. Threads begun while signed out belong to every user of the profile. */
  list(owner: ThreadOwner): Promise<Thread[]>;
  /**
   * Takes the right to drive a thread, creating the thread if necessary. With a title it also sets `running`, and a thread
   * that was begun while signed out becomes the user's.
   * @param run.title the prompt; undefined for a run that continues where the last one stopped
   * @param run.expected the epoch that was read, or undefined for a new thread; if it is another by now, `stale`
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
  /** Extends a holder's leases. Returns the ids of the threads that it still holds. */
  renew(holder: string, ids: readonly string[], until: number): Promise<string[]>;
  /** Records how a run ended and gives the lease back, if it is still held. */
  end(lease: Lease, status: StoredThreadStatus | undefined, now: number): Promise<void>;
  /** Sets a thread of unknown outcome to `pending`: what is left is to resume it. */
  reconciled(id: string): Promise<void>;
  /** Removes a thread with its conversation and proposals. `stale`: taken since, or a proposal is not settled. */
  remove(id: string, expected: { readonly epoch: number }): Promise<'removed' | 'stale'>;
}

/** Which proposals belong to which threads. */
export interface ThreadProposals {
  /**
   * Stores a proposal for its thread, and its newer state for every thread that shares it; an older state never replaces
   * a newer one.
   * @returns what was stored for this thread before, and what is stored now
   */
  note(
    seen: ThreadProposal,
  ): Promise<{ readonly before: Proposal | undefined; readonly kept: ThreadProposal }>;
  /** @param thread by default the first that had the proposal */
  get(id: string, thread?: string): Promise<ThreadProposal | undefined>;
  /** Oldest first. */
  ofThread(thread: string, prompt?: number): Promise<ThreadProposal[]>;
  /** A user's, oldest first; once for each thread that shares a proposal. */
  list(owner: ThreadOwner): Promise<ThreadProposal[]>;
}

/** Answers may arrive out of order. */
function isOlder(seen: Proposal, kept: Proposal): boolean {
  if (isSettledState(kept.state) && !isSettledState(seen.state)) return true;
  return Date.parse(seen.updated_at) < Date.parse(kept.updated_at);
}

export const TITLE_LENGTH = 80;

/** What to keep for a thread that saw a proposal. @param stored what each thread that shares it has, oldest first */
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
