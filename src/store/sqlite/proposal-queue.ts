import type Database from 'better-sqlite3-multiple-ciphers';
import { MAX_STEP_DELAY_MS, NOTIFY_CHECK_MS, type ProposalQueue } from '../proposal-queue.ts';
import { OPEN_STATES_SQL, PENDING_NOTICE_SQL } from '../rows/proposal-states.ts';

/** Creates the queue of a database that only this process uses. Claims are therefore kept in memory. */
export function createSqliteProposalQueue(database: Database.Database): ProposalQueue {
  const claimed = new Set<string>();
  const makeAllDue = database.prepare<[{ now: number }]>(
    `UPDATE proposals SET due_at = @now WHERE state IN (${OPEN_STATES_SQL})`,
  );
  const next = database.prepare<[number], { id: string; due_at: number }>(
    'SELECT id, due_at FROM proposals WHERE due_at IS NOT NULL ORDER BY due_at LIMIT ?',
  );
  const latest = database
    .prepare<[number], string>('SELECT id FROM proposals WHERE due_at > ? ORDER BY due_at LIMIT 100')
    .pluck();
  const release = database.prepare<[{ id: string; due: number | null; check: number }]>(
    `UPDATE proposals SET due_at = CASE WHEN state IN (${OPEN_STATES_SQL}) THEN @due WHEN ${PENDING_NOTICE_SQL} THEN @check END
     WHERE id = @id`,
  );
  return {
    async makeAllDue(now) {
      makeAllDue.run({ now });
    },
    async claimDue(limit, now) {
      const ids = latest.all(now + MAX_STEP_DELAY_MS).filter((id) => !claimed.has(id));
      let nextMs: number | undefined;
      for (const { id, due_at: due } of next.all(limit + claimed.size + 1)) {
        if (claimed.has(id)) continue;
        if (due > now || ids.length >= limit) {
          nextMs = Math.max(0, due - now);
          break;
        }
        ids.push(id);
      }
      for (const id of ids) claimed.add(id);
      return nextMs === undefined ? { ids } : { ids, nextMs };
    },
    async claim(id) {
      claimed.add(id);
      return true;
    },
    async release(id, ms, now) {
      claimed.delete(id);
      release.run({ id, due: ms === undefined ? null : now + Math.ceil(ms), check: now + NOTIFY_CHECK_MS });
      return ms === 0;
    },
    async overdueMs(now) {
      const oldest = next.all(claimed.size + 1).find(({ id }) => !claimed.has(id));
      return Math.max(0, now - (oldest?.due_at ?? now));
    },
    async renew() {
      return [];
    },
  };
}
