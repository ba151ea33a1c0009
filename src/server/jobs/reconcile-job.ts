import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { JobHandler } from '../../jobs/job-queue.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { createScheduleJob } from '../../store/postgres/state/schedule-jobs.ts';
import { isInProgressState } from '../../trading/proposal.ts';
import { createPersonAgent, limitSessionToScopes } from '../person-agent.ts';
import type { ServerDeps } from '../server-deps.ts';

/** Limits of the retry delay, which is the time since the proposal expired; total retry time. In milliseconds. */
const [MIN_RETRY_DELAY_MS, MAX_RETRY_DELAY_MS, GIVE_UP_AFTER_MS] = [60_000, 3_600_000, 7 * 86_400_000];

/**
 * Creates the job that asks the gateway for a proposal's unknown outcome and records the answer. The gateway looks up
 * the outcome at the broker and never sends the order again. If the outcome is still unknown after a week, the job is
 * kept as a dead job for the operator.
 */
export function createReconcileJob(deps: ServerDeps): JobHandler {
  const { database, jobs, sessions, clock } = deps;
  return async ({ ids: { person, proposal } }) => {
    if (person === undefined || proposal === undefined) return;
    const session = limitSessionToScopes(await sessions.forPerson(person), READ_SCOPES);
    const agent = createPersonAgent(deps, session, { model: 'builtin', read_only: true });
    try {
      const open = (await agent.reconcile(proposal)).filter(({ status }) => isInProgressState(status));
      for (const { id, expires_at } of open) {
        const age = clock.now() - Date.parse(expires_at);
        if (age > GIVE_UP_AFTER_MS) throw new TradeAgentError('outcome_unknown', 'the outcome is still unknown');
        const pause = Math.min(Math.max(age, MIN_RETRY_DELAY_MS), MAX_RETRY_DELAY_MS);
        await database.write((unit) =>
          jobs.enqueue(unit, createScheduleJob('reconcile', database.tenant, person, { proposal: id }), {
            at: clock.now() + pause,
          }),
        );
      }
    } catch (error) {
      // The gateway has no such proposal, so there is nothing to look up.
      if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    } finally {
      await agent.close();
    }
  };
}
