import { createHash } from 'node:crypto';
import type { TenantDatabase, Transaction } from '../../store/postgres/tenant-database.ts';
import type { DeadJob } from '../job-queue.ts';
import { DEAD_JOB_RETENTION_SECONDS, type Job, type JobKind, parseJob } from '../job-queue.ts';

export interface JobOutboxRow {
  readonly id: number;
  readonly kind: JobKind;
  readonly key: string;
}

interface StoredJob extends JobOutboxRow {
  readonly ids: string;
}

const toJob = ({ kind, key, ids }: StoredJob): Job => parseJob({ kind, key, ids: JSON.parse(ids) });

/**
 * A tenant's jobs as rows of `job_outbox` (`store/postgres/migrations/state.ts`), in the order in which they were
 * enqueued. A row stays until its job is done, and may be handed over to Temporal more than once.
 */
export function createJobOutbox(database: TenantDatabase) {
  const channel = `ta_jobs_${createHash('sha256').update(database.tenant).digest('hex').slice(0, 40)}`;
  return {
    /** Adds a job in the caller's unit of work. The commit notifies listeners. */
    async add(unit: Transaction, { kind, key, ids }: Job, at?: number): Promise<void> {
      // The insert assigns the id, so of two jobs that are inserted under one lock, the second has the higher id.
      await unit.run(
        `WITH added AS (
           INSERT INTO job_outbox (kind, key, ids, due_at)
           VALUES (@kind, @key, @ids, coalesce(to_timestamp(@at::double precision / 1000), clock_timestamp()))
         ) SELECT pg_notify(@channel, '')`,
        { kind, key, ids: JSON.stringify(ids), at: at ?? null, channel },
      );
    },
    /** Returns due jobs of all kinds, in the order in which they were enqueued. */
    due: (limit: number): Promise<readonly JobOutboxRow[]> =>
      database.read((unit) =>
        unit.last.all<JobOutboxRow>(
          `SELECT id, kind, key FROM job_outbox WHERE dead_at IS NULL AND due_at <= clock_timestamp()
           ORDER BY id LIMIT @limit`,
          { limit },
        ),
      ),
    /**
     * Marks jobs as handed over, so that they are not handed over again for `againMs`. Not fsynced, because a lost mark
     * only repeats a handover.
     */
    handed: async (ids: readonly number[], againMs: number): Promise<void> =>
      void (await database.writeUnsynced((unit) =>
        unit.last.run(
          `UPDATE job_outbox SET due_at = clock_timestamp() + @againMs * interval '1 millisecond'
           WHERE id = ANY (@ids::bigint[]) AND dead_at IS NULL`,
          { ids, againMs },
        ),
      )),
    /**
     * Begins an attempt. Returns the job and its number of attempts so far, including this one; undefined if the job is
     * done or dead.
     */
    async begin(id: number): Promise<{ readonly job: Job; readonly tries: number } | undefined> {
      const row = await database.writeUnsynced((unit) =>
        unit.last.one<StoredJob & { tries: number }>(
          `UPDATE job_outbox SET tries = tries + 1 WHERE id = @id AND dead_at IS NULL
           RETURNING id, kind, key, ids, tries`,
          { id },
        ),
      );
      return row === undefined ? undefined : { job: toJob(row), tries: row.tries };
    },
    /** Undoes `begin`, as if the attempt had not begun. */
    giveBack: async (id: number): Promise<void> =>
      void (await database.writeUnsynced((unit) =>
        unit.last.run('UPDATE job_outbox SET tries = tries - 1 WHERE id = @id', { id }),
      )),
    done: async (id: number): Promise<void> =>
      void (await database.writeUnsynced((unit) =>
        unit.last.run('DELETE FROM job_outbox WHERE id = @id AND dead_at IS NULL', { id }),
      )),
    /** Marks a job as dead when its retries are used up. @param code the error's code; never its message */
    bury: async (id: number, code: string): Promise<void> =>
      void (await database.write((unit) =>
        unit.last.run(
          'UPDATE job_outbox SET dead_at = clock_timestamp(), code = @code WHERE id = @id AND dead_at IS NULL',
          { id, code },
        ),
      )),
    async dead(limit: number): Promise<DeadJob[]> {
      const rows = await database.read((unit) =>
        unit.last.all<StoredJob & { code: string; at: number }>(
          `SELECT id, kind, key, ids, code, (extract(epoch FROM dead_at) * 1000)::bigint AS at
           FROM job_outbox WHERE dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT @limit`,
          { limit },
        ),
      );
      return rows.map((row) => ({ id: String(row.id), job: toJob(row), code: row.code, failedAt: row.at }));
    },
    /** Removes expired dead jobs. */
    clear: async (): Promise<void> =>
      void (await database.writeUnsynced((unit) =>
        unit.last.run(`DELETE FROM job_outbox WHERE dead_at < clock_timestamp() - @seconds * interval '1 second'`, {
          seconds: DEAD_JOB_RETENTION_SECONDS,
        }),
      )),
    listen: (heard: () => void): { close(): Promise<void> } => database.listen(channel, heard),
  };
}
export type JobOutbox = ReturnType<typeof createJobOutbox>;
