import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import type { StateStores } from '../../store/state-stores.ts';
import type { Thread, ThreadProposals } from '../../store/thread-store.ts';
import { isSettledState, isUnderWayState, type Proposal } from '../../trading/proposal.ts';
import type { PruneOptions } from '../agent.ts';
import type { ThreadStatus } from '../events.ts';
import { isDriven } from './threads.ts';

const finished: readonly ThreadStatus[] = ['done', 'denied', 'expired', 'blocked', 'failed'];

/**
 * Removes a thread with its conversation and proposals. The store checks again in the removing transaction that no run
 * has taken it up.
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
    refuseWhileOpen(thread, await openProposals(proposals, thread));
    if (isDriven(found, clock.now())) {
      throw new TradeAgentError('busy', `a run holds thread ${thread}`, {
        hint: 'Wait for it to end, or stop it.',
      });
    }
    if ((await threads.remove(thread, found)) === 'removed') return;
  }
}

/** @param threads the user's, newest first */
export async function prunable(
  proposals: Pick<ThreadProposals, 'ofThread'>,
  threads: readonly Thread[],
  { olderThan, keep }: PruneOptions,
  now: number,
): Promise<Thread[]> {
  const over: Thread[] = [];
  for (const thread of threads) {
    const isOver =
      finished.includes(thread.status) && (await openProposals(proposals, thread.id)).length === 0;
    if (isOver) over.push(thread);
  }
  return over.slice(keep).filter(({ updatedAt }) => updatedAt <= now - olderThan);
}

async function openProposals(
  proposals: Pick<ThreadProposals, 'ofThread'>,
  thread: string,
): Promise<Proposal[]> {
  return (await proposals.ofThread(thread))
    .map(({ proposal }) => proposal)
    .filter(({ state }) => !isSettledState(state));
}

/** Without the thread, nobody would learn the outcome of its order. */
function refuseWhileOpen(thread: string, open: readonly Proposal[]): void {
  const underWay = open.find(({ state }) => isUnderWayState(state));
  if (underWay !== undefined) {
    throw new TradeAgentError('outcome_unknown', `thread ${thread} has an order whose outcome is unknown`, {
      hint: `Settle it first: trade-agent approvals reconcile ${underWay.id}`,
    });
  }
  if (open[0] !== undefined) {
    throw new TradeAgentError('approval_pending', `thread ${thread} has an approval that is not settled`, {
      hint: `Take it back first: trade-agent approvals cancel ${open[0].id}`,
    });
  }
}
