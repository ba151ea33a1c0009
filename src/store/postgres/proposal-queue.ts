import { randomUUID } from 'node:crypto';
import { CLAIM_MS, MAX_STEP_DELAY_MS, NOTIFY_CHECK_MS, type ProposalQueue } from '../proposal-queue.ts';
import { OPEN_STATES_SQL, PENDING_NOTICE_SQL } from '../rows/proposal-states.ts';
import type { TenantDatabase } from './tenant-database.ts';

/** The database's time. Comparisons with it can use an index, unlike those with `clock_timestamp()`. */
const NOW = 'statement_timestamp()';

export const timeAfterMs = (ms: number) => `${NOW} + interval '${ms} milliseconds'`;

const CLAIMED_UNTIL = timeAfterMs(CLAIM_MS);
/** While a proposal is claimed, `due_at` is the time when the claim ends. */
const IS_FREE = `(claimed_by IS NULL OR claimed_by = @name OR due_at < ${NOW})`;

/**
 * Creates a queue that several processes share. None of its writes waits for the disk, because a lost write only makes
 * a proposal due again.
 * @param name this process's name, a new one at each start
 */
export function postgresProposalQueue(database: TenantDatabase, name: string = randomUUID()): ProposalQueue {
  const write = database.writeUnsynced.bind(database);
  return {
    makeAllDue: () =>
      write(async (unit) => {
        await unit.last.run(
          // A `requested` proposal waits for one poll interval, because another process may have just polled.
          `UPDATE proposals SET due_at = CASE
             WHEN state = 'requested' THEN ${NOW} + poll_interval * interval '1 second' ELSE ${NOW} END
           WHERE state IN (${OPEN_STATES_SQL}) AND claimed_by IS NULL`,
        );
      }),
    async claimDue(limit) {
      return await write(async (unit) => {
        // Skips locked rows, because another process is claiming or changing them.
        const claimed = await unit.all<{ id: string }>(
          `WITH due AS MATERIALIZED (
             SELECT id, due_at FROM proposals WHERE due_at <= ${NOW} OR due_at > ${timeAfterMs(MAX_STEP_DELAY_MS)}
             ORDER BY due_at LIMIT CAST(@limit AS bigint) FOR UPDATE SKIP LOCKED
           ),
           claimed AS (
             UPDATE proposals SET claimed_by = @name, pinged = false, due_at = ${CLAIMED_UNTIL}
             FROM due WHERE proposals.id = due.id RETURNING proposals.id, due.due_at
           )
           SELECT id FROM claimed ORDER BY due_at`,
          { name, limit },
        );
        const next = await unit.last.one<{ ms: number | null }>(
          `SELECT (extract(epoch FROM min(due_at) - ${NOW}) * 1000)::bigint AS ms FROM proposals WHERE due_at IS NOT NULL`,
        );
        const ids = claimed.map(({ id }) => id);
        return next?.ms == null ? { ids } : { ids, nextMs: Math.max(0, next.ms) };
      });
    },
    async claim(id, isPing) {
      const row = await write((unit) =>
        unit.last.one<{ is_ours: boolean }>(
          `UPDATE proposals SET
             claimed_by = CASE WHEN ${IS_FREE} THEN @name ELSE claimed_by END,
             due_at = CASE WHEN ${IS_FREE} THEN ${CLAIMED_UNTIL} ELSE due_at END,
             pinged = @isPing AND NOT ${IS_FREE}
           WHERE id = @id AND (@isPing OR ${IS_FREE}) RETURNING claimed_by = @name AS is_ours`,
          { name, id, isPing },
        ),
      );
      return row?.is_ours === true;
    },
    async release(id, ms) {
      const row = await write((unit) =>
        unit.last.one<{ is_due: boolean | null }>(
          `UPDATE proposals SET claimed_by = NULL, pinged = false, due_at = CASE
             WHEN state IN (${OPEN_STATES_SQL}) THEN
               CASE WHEN pinged THEN ${NOW} ELSE ${NOW} + CAST(@ms AS float) * interval '1 millisecond' END
             WHEN ${PENDING_NOTICE_SQL} THEN ${timeAfterMs(NOTIFY_CHECK_MS)}
             END
           WHERE id = @id AND claimed_by = @name RETURNING due_at <= ${NOW} AS is_due`,
          { name, id, ms: ms ?? null },
        ),
      );
      return row?.is_due === true;
    },
    async overdueMs() {
      const row = await write((unit) =>
        unit.last.one<{ ms: number | null }>(
          `SELECT (extract(epoch FROM ${NOW} - min(due_at)) * 1000)::bigint AS ms FROM proposals WHERE due_at IS NOT NULL`,
        ),
      );
      return Math.max(0, row?.ms ?? 0);
    },
    async renew(ids) {
      if (ids.length === 0) return [];
      const renewed = await write((unit) =>
        unit.last.all<{ id: string }>(
          `UPDATE proposals SET due_at = ${CLAIMED_UNTIL} WHERE id = ANY(@ids) AND claimed_by = @name RETURNING id`,
          { name, ids: [...ids] },
        ),
      );
      const held = new Set(renewed.map(({ id }) => id));
      return ids.filter((id) => !held.has(id));
    },
  };
}
