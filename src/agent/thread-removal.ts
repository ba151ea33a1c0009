import type { Clock } from '../trading/clock.ts';
import { TradeAgentError } from '../trading/errors.ts';
import type { PruneOptions } from './agent.ts';
import { isSettled, isUnderWay } from './approval-states.ts';
import type { ApprovalStatus, ThreadStatus } from './events.ts';
import { isGone } from './holder.ts';
import type { StateDatabase } from './state-database.ts';
import type { Thread } from './thread-store.ts';

/** How a run may have ended for its thread to count as finished. */
const finished: readonly ThreadStatus[] = ['done', 'denied', 'expired', 'blocked', 'failed'];

/**
 * Removes a thread: conversation, approvals, and the thread itself, in one transaction.
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
      database.prepare('DELETE FROM approvals WHERE thread = ?').run(thread);
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
    .filter(({ id, status }) => finished.includes(status) && openApprovals(database, id).length === 0)
    .slice(keep)
    .filter(({ updatedAt }) => updatedAt <= now - olderThan);
}

function openApprovals(database: StateDatabase, thread: string) {
  return database
    .prepare<[string], { id: string; status: ApprovalStatus }>(
      'SELECT id, status FROM approvals WHERE thread = ? ORDER BY created_at, rowid',
    )
    .all(thread)
    .filter(({ status }) => !isSettled(status));
}

/** With its approval gone from here, nobody could cancel it, or learn what became of its order. */
function refuseWhileOpen(database: StateDatabase, thread: string): void {
  const open = openApprovals(database, thread);
  const underWay = open.find(({ status }) => isUnderWay(status));
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
