import type { Clock } from '../../machine/clock.ts';
import type { StateDatabase } from '../../store/sqlite/state-database.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { isSettledState, isUnderWayState } from '../../trading/proposal.ts';
import type { PruneOptions } from '../agent.ts';
import type { ThreadStatus } from '../events.ts';
import { createThreadProposals } from '../graph/thread-proposals.ts';
import { isGone } from './holder.ts';
import type { Thread } from './thread-store.ts';

/** How a run may have ended for its thread to count as finished. */
const finished: readonly ThreadStatus[] = ['done', 'denied', 'expired', 'blocked', 'failed'];

/**
 * Removes a thread: conversation, what was seen of its proposals, and the thread itself, in one transaction.
 * @throws {TradeAgentError} `approval_pending`, `outcome_unknown`, `busy`
 */
export function removeThread(database: StateDatabase, thread: string, clock: Clock): void {
  database
    .transaction(() => {
      refuseWhileOpen(database, thread);
      refuseWhileHeld(database, thread, clock.now());
      for (const table of ['checkpoints', 'writes', 'messages']) {
        database.prepare(`DELETE FROM ${table} WHERE thread_id = ?`).run(thread);
      }
      database.prepare('DELETE FROM thread_proposals WHERE thread = ?').run(thread);
      database.prepare('DELETE FROM threads WHERE id = ?').run(thread);
    })
    .immediate();
}

/** The finished threads that a pruning takes. @param threads the user's, newest first */
export function prunable(
  database: StateDatabase,
  threads: readonly Thread[],
  { olderThan, keep }: PruneOptions,
  now: number,
): Thread[] {
  return threads
    .filter(({ id, status }) => finished.includes(status) && openProposals(database, id).length === 0)
    .slice(keep)
    .filter(({ updatedAt }) => updatedAt <= now - olderThan);
}

function openProposals(database: StateDatabase, thread: string) {
  return createThreadProposals(database)
    .ofThread(thread)
    .map(({ proposal }) => proposal)
    .filter(({ state }) => !isSettledState(state));
}

/** With the thread gone, nobody would be told what became of its order. */
function refuseWhileOpen(database: StateDatabase, thread: string): void {
  const open = openProposals(database, thread);
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

function refuseWhileHeld(database: StateDatabase, thread: string, now: number): void {
  const row = database
    .prepare<[string], { lease_owner: string | null; lease_until: number }>(
      'SELECT lease_owner, lease_until FROM threads WHERE id = ?',
    )
    .get(thread);
  if (row === undefined || row.lease_owner === null || row.lease_until <= now || isGone(row.lease_owner))
    return;
  throw new TradeAgentError('busy', `a run holds thread ${thread}`, {
    hint: 'Wait for it to end, or stop it.',
  });
}
