import { isSettledState, type Proposal } from '../trading/proposal.ts';

/** The profile and signed-in user that own a thread. `sub` is undefined if nobody is signed in. */
export interface ThreadOwner {
  readonly profile: string;
  readonly sub: string | undefined;
}

/** Outcome of a thread's latest run. A killed run stays `running`. */
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
  /** Milliseconds since the epoch. All times in this file use this unit. */
  readonly updatedAt: number;
}

/** The exclusive right to run a thread. The epoch increases each time another run acquires it. */
export interface ThreadLease {
  readonly thread: string;
  readonly holder: string;
  readonly epoch: number;
}

export interface LeasedThread extends Thread {
  readonly holder: string | undefined;
  readonly epoch: number;
  readonly until: number;
}

/** The latest known state of a proposal that was made in a thread. Only the gateway knows the current state. */
export interface ThreadProposal {
  readonly thread: string;
  /** Number of the prompt that led to the proposal, counted from 1 within the thread. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly proposal: Proposal;
}

/** Threads and their leases. Each method is one transaction, which is on disk when the promise resolves. */
export interface ThreadStore {
  find(id: string): Promise<LeasedThread | undefined>;
  /**
   * Returns an owner's threads, newest first. Threads that were started while nobody was signed in belong to every user
   * of the profile.
   */
  list(owner: ThreadOwner): Promise<Thread[]>;
  /**
   * Takes a thread's lease, and creates the thread if `expected` is undefined. If a title is given, also sets the
   * status to `running`, and gives this user a thread that was started while nobody was signed in.
   * @param run.title the prompt; undefined for a run that continues where the previous run stopped
   * @param run.expected the lease epoch that the caller read, or undefined for a new thread; if the epoch has changed,
   * the result is `stale`
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
    { readonly outcome: 'begun'; readonly thread: Thread; readonly lease: ThreadLease } | { readonly outcome: 'stale' }
  >;
  isHeld(lease: ThreadLease): Promise<boolean>;
  /** Extends the holder's leases on these threads. Returns the IDs of the threads whose leases the holder still has. */
  renew(holder: string, ids: readonly string[], until: number): Promise<string[]>;
  /** Records a run's outcome and releases the run's lease, if the lease is still held. */
  end(lease: ThreadLease, status: StoredThreadStatus | undefined, now: number): Promise<void>;
  /** Changes a thread's status from `unknown` to `pending`, so that the thread can be resumed. */
  reconciled(id: string): Promise<void>;
  /**
   * Removes a thread with its conversation and proposals. Returns `stale` if the thread's lease was taken since the
   * caller read it, or if one of the thread's proposals is open.
   */
  remove(id: string, expected: { readonly epoch: number }): Promise<'removed' | 'stale'>;
}

export interface ThreadProposalStore {
  /**
   * Stores a proposal for its thread, and updates the proposal's state in every other thread that has the same
   * proposal. An older state never replaces a newer one.
   * @returns the thread's previous and current copy of the proposal
   */
  note(seen: ThreadProposal): Promise<{ readonly before: Proposal | undefined; readonly kept: ThreadProposal }>;
  /** Finds a proposal. @param thread if omitted, the first thread with the proposal */
  get(id: string, thread?: string): Promise<ThreadProposal | undefined>;
  /** Returns a thread's proposals, oldest first. */
  byThread(thread: string, prompt?: number): Promise<ThreadProposal[]>;
  /** Returns a user's proposals, oldest first. A proposal of several threads is returned once for each thread. */
  list(owner: ThreadOwner): Promise<ThreadProposal[]>;
}

/** Returns whether `seen` is an older state of the proposal than `kept`. Responses may arrive out of order. */
function isOlder(seen: Proposal, kept: Proposal): boolean {
  if (isSettledState(kept.state) && !isSettledState(seen.state)) return true;
  return Date.parse(seen.updated_at) < Date.parse(kept.updated_at);
}

export const TITLE_LENGTH = 80;

/**
 * Merges a received proposal with the stored copies.
 * @param stored the copy in each thread that has the proposal, oldest first
 */
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
