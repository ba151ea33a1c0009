import { isSettledState, type Proposal } from '../trading/proposal.ts';

/** The owner of threads: a profile and its signed-in user. `sub` is undefined if nobody is signed in. */
export interface ThreadOwner {
  readonly profile: string;
  readonly sub: string | undefined;
}

/** Outcome of a thread's latest run. `running` also if the run was killed. */
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

/** The exclusive right to run a thread. The epoch increases each time the right changes hands. */
export interface ThreadLease {
  readonly thread: string;
  readonly holder: string;
  readonly epoch: number;
}

export interface LeasedThread extends Thread {
  /** Undefined if nobody holds the lease. */
  readonly holder: string | undefined;
  readonly epoch: number;
  readonly until: number;
}

/** The latest known state of a thread's proposal. The gateway's copy is authoritative. */
export interface ThreadProposal {
  readonly thread: string;
  /** Number of the prompt that led to the proposal, from 1. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly proposal: Proposal;
}

/** Threads and their leases. Each method is one transaction, on disk when the promise resolves. */
export interface ThreadStore {
  find(id: string): Promise<LeasedThread | undefined>;
  /**
   * Returns threads, newest first. Threads that were started while nobody was signed in belong to every user of the
   * profile.
   */
  list(owner: ThreadOwner): Promise<Thread[]>;
  /**
   * Takes a thread's lease, and creates the thread if it does not exist. With a title, also sets the status `running`,
   * and gives this user a thread that was started while nobody was signed in.
   * @param run.title the prompt; undefined for a run that continues where the previous run stopped
   * @param run.expected the epoch that was read, or undefined for a new thread; if it has changed, the result is
   * `stale`
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
  /** Extends the holder's leases on these threads. Returns the IDs of the threads whose lease it still holds. */
  renew(holder: string, ids: readonly string[], until: number): Promise<string[]>;
  /** Records a run's outcome and releases its lease, if the lease is still held. */
  end(lease: ThreadLease, status: StoredThreadStatus | undefined, now: number): Promise<void>;
  /** Sets a thread whose outcome is unknown to `pending`, so that it can be resumed. */
  reconciled(id: string): Promise<void>;
  /**
   * Removes a thread with its conversation and proposals. Returns `stale` if its lease was taken since, or if a
   * proposal is open.
   */
  remove(id: string, expected: { readonly epoch: number }): Promise<'removed' | 'stale'>;
}

export interface ThreadProposals {
  /**
   * Stores a proposal for its thread, and updates its state in every other thread that shares it. An older state never
   * replaces a newer state.
   * @returns the thread's stored proposal before and after
   */
  note(seen: ThreadProposal): Promise<{ readonly before: Proposal | undefined; readonly kept: ThreadProposal }>;
  /** @param thread defaults to the first thread that has the proposal */
  get(id: string, thread?: string): Promise<ThreadProposal | undefined>;
  /** Oldest first. */
  byThread(thread: string, prompt?: number): Promise<ThreadProposal[]>;
  /** Returns a user's proposals, oldest first. A proposal that several threads share is returned once per thread. */
  list(owner: ThreadOwner): Promise<ThreadProposal[]>;
}

/** Returns whether the seen state is older than the stored one. Responses may arrive out of order. */
function isOlder(seen: Proposal, kept: Proposal): boolean {
  if (isSettledState(kept.state) && !isSettledState(seen.state)) return true;
  return Date.parse(seen.updated_at) < Date.parse(kept.updated_at);
}

export const TITLE_LENGTH = 80;

/**
 * Merges a received proposal with the stored copies.
 * @param stored the copy of each thread that shares the proposal, oldest first
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
