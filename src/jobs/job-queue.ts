import type { Unit } from '../store/postgres/tenant-database.ts';
import type { Job, JobKind } from './job.ts';

/**
 * Does a job. It may be done more than once: after a crash, a failure, or where a worker stood still and woke. So what it
 * writes goes by an epoch of the rows, never by that it was called. It throws where it is to be tried again.
 * @param signal aborts where the job is taken back: the worker is closing and its time to drain is over, or the job took
 *   longer than it may. What is done after that is somebody else's
 */
export type JobHandler = (job: Job, signal: AbortSignal) => Promise<void>;

/** A job that failed as often as it may. Its key has gone on without it. */
export interface DeadJob {
  readonly id: string;
  readonly job: Job;
  /** The code of the error that it failed with last; never its text, which may hold more than ids. */
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
   * Has a job done: once the unit commits, and not at all where it does not.
   * @param options.at not before then, milliseconds since the epoch. Until then it holds up no other of its key
   * @throws {TradeAgentError} `internal` for what carries more than ids, or another tenant's
   */
  enqueue(unit: Unit, job: Job, options?: { readonly at?: number }): Promise<void>;
  /** Several at once, with what {@link enqueue} says of each; of engines that take them so. */
  enqueueAll?(unit: Unit, jobs: readonly Job[]): Promise<void>;
  /**
   * Does jobs of a kind from now on, those of one key one at a time and in order, whichever process is at them. One that
   * fails is tried again after a pause that grows; in the end it is dead, and the next of its key is done.
   * @param options.concurrency so many at once in this process
   */
  work(kind: JobKind, handler: JobHandler, options?: { readonly concurrency?: number }): Promise<void>;
  /** The newest first. @param limit so many at most */
  dead(limit?: number): Promise<DeadJob[]>;
  /**
   * Takes no more. What is under way has so long to end; then its signal aborts, and the job is given back for another worker
   * to do at once. More than once is as good as once.
   * @param options.drainMs default 20 seconds, less than what orchestrators wait before they kill
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}
