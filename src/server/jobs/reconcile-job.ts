import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { JobHandler } from '../../jobs/job-queue.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import { jobOf } from '../../store/postgres/state/schedule-jobs.ts';
import { isUnderWayState } from '../../trading/proposal.ts';
import { personAgent, withinScopes } from '../person-agent.ts';
import type { ServerParts } from '../server-parts.ts';

/** The next attempt comes after as long again: at least a minute, at most an hour, for a week. */
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS, UNTIL_MS] = [60_000, 3_600_000, 7 * 86_400_000];

/**
 * Asks the gateway for a proposal's unknown outcome, and records it. The gateway looks it up at the broker; nothing
 * is sent again. What is unknown after a week becomes a dead job, for people to inspect.
 */
export function reconcileJob(parts: ServerParts): JobHandler {
  const { database, jobs, sessions, clock } = parts;
  return async ({ ids: { person, proposal } }) => {
    if (person === undefined || proposal === undefined) return;
    const session = withinScopes(await sessions.of(person), READ_SCOPES);
    const agent = personAgent(parts, session, { model: 'builtin', read_only: true });
    try {
      const open = (await agent.reconcile(proposal)).filter(({ status }) => isUnderWayState(status));
      for (const { id, expires_at } of open) {
        const age = clock.now() - Date.parse(expires_at);
        if (age > UNTIL_MS) throw new TradeAgentError('outcome_unknown', 'nobody knows what became of it');
        const pause = Math.min(Math.max(age, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
        await database.write((unit) =>
          jobs.enqueue(unit, jobOf('reconcile', database.tenant, person, { proposal: id }), {
            at: clock.now() + pause,
          }),
        );
      }
    } catch (error) {
      // The gateway has no such proposal: there is nothing to ask.
      if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    } finally {
      await agent.close();
    }
  };
}
