import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { StateStores } from '../../store/state-stores.ts';
import type {
  LeasedThread,
  Thread,
  ThreadLease,
  ThreadOwner,
  ThreadProposalStore,
  ThreadStore,
} from '../../store/thread-store.ts';
import { isInProgressState, isSettledState, type Proposal } from '../../trading/proposal.ts';
import type { PruneOptions } from '../agent.ts';
import type { ThreadStatus } from '../events.ts';
import { createShortId } from '../short-id.ts';

/** Duration of a lease in milliseconds. Longer than any pause of a healthy process between two renewals. */
export const THREAD_LEASE_MS = 30_000;

/** A new prompt, with a title in case it creates a thread, or a request to resume a thread. */
type ThreadRequest = { readonly title: string; readonly thread?: string | undefined } | { readonly resume: string };

/**
 * Acquires the lease of a thread. For a first prompt, creates the thread.
 * @throws {TradeAgentError} `usage` for an invalid ID; `not_found`; `busy` while another run holds the lease
 */
export async function acquireThread(
  threads: Pick<ThreadStore, 'find' | 'begin'>,
  request: ThreadRequest,
  { owner, holder, clock }: { readonly owner: ThreadOwner; readonly holder: string; readonly clock: Clock },
): Promise<{ readonly thread: Thread; readonly lease: ThreadLease }> {
  const isResumed = 'resume' in request;
  const id = isResumed ? request.resume : (request.thread ?? createShortId('th_', 10));
  const title = isResumed ? undefined : request.title;
  if (!isResumed) requireThreadId(id);
  for (;;) {
    const found = await threads.find(id);
    if (found !== undefined || isResumed) requireOwn(found, id, owner);
    const now = clock.now();
    if (found !== undefined && isLeaseHeld(found, now)) {
      throw new TradeAgentError('busy', `another run is using thread ${id}`, {
        hint: 'Wait for that run to end, or start a new thread.',
      });
    }
    const until = now + THREAD_LEASE_MS;
    const begun = await threads.begin({ id, owner, title, holder, expected: found?.epoch, now, until });
    if (begun.outcome === 'begun') return begun;
    // The loop tries again, because another run has started or removed the thread since it was read.
  }
}

/** Returns the user's own thread. @throws {TradeAgentError} `not_found`, including for another user's thread */
export async function requireOwnThread(
  threads: Pick<ThreadStore, 'find'>,
  id: string,
  owner: ThreadOwner,
): Promise<LeasedThread> {
  return requireOwn(await threads.find(id), id, owner);
}

function isLeaseHeld({ holder, until }: LeasedThread, now: number): boolean {
  return holder !== undefined && until > now && !hasExited(holder);
}

function requireThreadId(id: string): void {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(id)) return;
  throw new TradeAgentError('usage', 'a thread ID must be 1 to 64 letters, digits, "-" or "_"', {
    hint: 'Choose another ID, or leave it out to get a new one.',
  });
}

function requireOwn<T extends Thread>(found: T | undefined, id: string, { profile, sub }: ThreadOwner): T {
  const isOwn = found?.profile === profile && (found.sub === undefined || found.sub === sub);
  if (found !== undefined && isOwn) return found;
  throw new TradeAgentError('not_found', `there is no thread ${id}`, {
    hint: 'List yours with "trade-agent threads".',
  });
}

/** Returns an ID that consists of the machine's name, the process ID, and a random part for each agent. */
export function createHolderId(): string {
  return `${hostname()}|${process.pid}|${randomBytes(6).toString('hex')}`;
}

/**
 * Returns whether the lease's process ran on this machine and has exited, so that another run can immediately take over
 * a lease left by `kill -9`. All other leases must expire first, including those of a process whose ID was reused.
 */
function hasExited(holder: string): boolean {
  const [host, pid] = holder.split('|');
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

const finishedStatuses: readonly ThreadStatus[] = ['done', 'denied', 'expired', 'blocked', 'failed'];

/**
 * Removes a thread with its conversation and proposals, unless a run resumes it in the meantime.
 * @throws {TradeAgentError} `approval_pending`, `outcome_unknown`, `busy`
 */
export async function removeThread(
  { threads, proposals }: Pick<StateStores, 'threads' | 'proposals'>,
  thread: string,
  clock: Clock,
): Promise<void> {
  for (;;) {
    const found = await threads.find(thread);
    if (found === undefined) return;
    requireNoOpenProposals(thread, await openProposals(proposals, thread));
    if (isLeaseHeld(found, clock.now())) {
      throw new TradeAgentError('busy', `a run is using thread ${thread}`, {
        hint: 'Wait for that run to end, or stop it.',
      });
    }
    if ((await threads.remove(thread, found)) === 'removed') return;
  }
}

/**
 * Returns the threads that pruning removes: those that have finished and have no open proposals.
 * @param threads the user's threads, newest first
 */
export async function findPrunableThreads(
  proposals: Pick<ThreadProposalStore, 'byThread'>,
  threads: readonly Thread[],
  { olderThan, keep }: PruneOptions,
  now: number,
): Promise<Thread[]> {
  const over: Thread[] = [];
  for (const thread of threads) {
    const isOver = finishedStatuses.includes(thread.status) && (await openProposals(proposals, thread.id)).length === 0;
    if (isOver) over.push(thread);
  }
  return over.slice(keep).filter(({ updatedAt }) => updatedAt <= now - olderThan);
}

async function openProposals(proposals: Pick<ThreadProposalStore, 'byThread'>, thread: string): Promise<Proposal[]> {
  return (await proposals.byThread(thread))
    .map(({ proposal }) => proposal)
    .filter(({ state }) => !isSettledState(state));
}

/** Throws if the thread has open proposals. Without the thread, their outcomes could no longer be looked up. */
function requireNoOpenProposals(thread: string, open: readonly Proposal[]): void {
  const inProgress = open.find(({ state }) => isInProgressState(state));
  if (inProgress !== undefined) {
    throw new TradeAgentError('outcome_unknown', `thread ${thread} has an order whose outcome is unknown`, {
      hint: `Settle the order first: trade-agent approvals reconcile ${inProgress.id}`,
    });
  }
  if (open[0] !== undefined) {
    throw new TradeAgentError('approval_pending', `thread ${thread} has an approval that is not settled`, {
      hint: `Withdraw it first: trade-agent approvals cancel ${open[0].id}`,
    });
  }
}
