import type { Unit } from '../store/postgres/tenant-database.ts';
import type { Job, JobKind } from './job.ts';

/**
 * Does a job, possibly more than once: after a crash, a failure, or a suspended worker. So its writes must depend on
 * an epoch in the rows. Throws to be retried.
 * @param signal aborts where the job is taken back: the worker's drain time is over, or the job's limit. Another
 *   worker may do it from then on
 */
export type JobHandler = (job: Job, signal: AbortSignal) => Promise<void>;

/** A job that used up its retries; its key continues without it. */
export interface DeadJob {
  readonly id: string;
  readonly job: Job;
  /** The last error's code; never its text, which may contain more than ids. */
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly failedAt: number;
}

/**
 * Jobs of one tenant, kept until they are done. Rows are the truth and jobs only set somebody to work on them: whoever can't
 * find a row that wants its job done has nothing to do.
 *
 * @example
 * ```ts
 * import type { TenantDatabase } from '../store/postgres/tenant-database.ts';
 * import type { JobQueue } from './job-queue.ts';
 *
 * // A row and the job about it are one commit: both are there, or neither.
 * export async function begin(database: TenantDatabase, jobs: JobQueue, person: string, run: string): Promise<void> {
 *   await database.write(async (unit) => {
 *     await unit.run('INSERT INTO runs (id, person) VALUES (@run, @person)', { run, person });
 *     await jobs.enqueue(unit, { kind: 'run', key: `${database.tenant}|${run}`, ids: { person, run } });
 *   });
 * }
 * ```
 */
export interface JobQueue {
  /**
   * Enqueues a job with the unit's commit.
   * @param options.at not before then, milliseconds since the epoch. Until then it does not block others of its key
   * @throws {TradeAgentError} `internal` for what contains more than ids, or another tenant's job
   */
  enqueue(unit: Unit, job: Job, options?: { readonly at?: number }): Promise<void>;
  /** {@link enqueue} for several jobs, if the engine can. */
  enqueueAll?(unit: Unit, jobs: readonly Job[]): Promise<void>;
  /**
   * Does jobs of a kind from now on, those of one key one at a time and in order, across all processes. A failed job
   * is retried after a growing delay; finally it is dead, and the next of its key is done.
   * @param options.concurrency in this process
   */
  work(kind: JobKind, handler: JobHandler, options?: { readonly concurrency?: number }): Promise<void>;
  /** Newest first. */
  dead(limit?: number): Promise<DeadJob[]>;
  /**
   * Takes no more jobs. Running jobs may end in time; then their signals abort, and they are given back for another
   * worker at once. Idempotent.
   * @param options.drainMs default 20 seconds, less than orchestrators wait before they kill
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}
