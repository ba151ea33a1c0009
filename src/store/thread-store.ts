import { isSettledState, type Proposal } from '../trading/proposal.ts';

/** Owner of threads: a profile and the signed-in user. `sub` is undefined if nobody is signed in. */
export interface ThreadOwner {
  readonly profile: string;
  readonly sub: string | undefined;
}

/** Outcome of a thread's latest run. `running` if it has not ended or was killed. */
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
  /** The first prompt, truncated to {@link TITLE_LENGTH}. */
  readonly title: string;
  readonly status: StoredThreadStatus;
  /** Milliseconds since the epoch, like all times here. */
  readonly updatedAt: number;
}

/** The exclusive right to run a thread. The epoch increases each time it is taken. */
export interface Lease {
  readonly thread: string;
  readonly holder: string;
  readonly epoch: number;
}

export interface LeasedThread extends Thread {
  /** Holder of the lease. Undefined if there is none. */
  readonly holder: string | undefined;
  readonly epoch: number;
  readonly until: number;
}

/** A thread's proposal as last seen. The gateway's copy is authoritative. */
export interface ThreadProposal {
  readonly thread: string;
  /** Number of its prompt, from 1. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly proposal: Proposal;
}

/** Threads and their leases. Each method is one transaction, on disk when the promise resolves. */
export interface ThreadStore {
  find(id: string): Promise<LeasedThread | undefined>;
  /** Returns threads, newest first. Threads that began while signed out belong to every user of the profile. */
  list(owner: ThreadOwner): Promise<Thread[]>;
  /**
   * Takes the lease of a thread, and creates the thread if necessary. With a title, it also sets `running` and assigns a thread
   * that began while signed out to the user.
   * @param run.title the prompt; undefined for a run that continues where the last one stopped
   * @param run.expected the epoch that was read, or undefined for a new thread; if it has changed, the result is `stale`
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
    { readonly outcome: 'begun'; readonly thread: Thread; readonly lease: Lease } | { readonly outcome: 'stale' }
  >;
  isHeld(lease: Lease): Promise<boolean>;
  /** Extends a holder's leases. Returns the IDs of the threads that it still holds. */
  renew(holder: string, ids: readonly string[], until: number): Promise<string[]>;
  /** Records the outcome of a run and releases its lease, if it is still held. */
  end(lease: Lease, status: StoredThreadStatus | undefined, now: number): Promise<void>;
  /** Sets a thread with unknown outcome to `pending`, so that it can be resumed. */
  reconciled(id: string): Promise<void>;
  /** Removes a thread with its conversation and proposals. Returns `stale` if it was taken since, or a proposal is open. */
  remove(id: string, expected: { readonly epoch: number }): Promise<'removed' | 'stale'>;
}

/** The proposals of threads. */
export interface ThreadProposals {
  /**
   * Stores a proposal for its thread, and its state for every thread that shares it. An older state never replaces a newer
   * one.
   * @returns the thread's stored proposal before and after
   */
  note(seen: ThreadProposal): Promise<{ readonly before: Proposal | undefined; readonly kept: ThreadProposal }>;
  /** @param thread defaults to the first thread with the proposal */
  get(id: string, thread?: string): Promise<ThreadProposal | undefined>;
  /** Oldest first. */
  byThread(thread: string, prompt?: number): Promise<ThreadProposal[]>;
  /** Returns a user's proposals, oldest first, once for each thread that shares a proposal. */
  list(owner: ThreadOwner): Promise<ThreadProposal[]>;
}

/** Compares two states of a proposal, because responses may arrive out of order. */
function isOlder(seen: Proposal, kept: Proposal): boolean {
  if (isSettledState(kept.state) && !isSettledState(seen.state)) return true;
  return Date.parse(seen.updated_at) < Date.parse(kept.updated_at);
}

export const TITLE_LENGTH = 80;

/** Merges a seen proposal with the stored ones. @param stored the stored copy of each thread that shares it, oldest first */
export function mergeProposal(
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
