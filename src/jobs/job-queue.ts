import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { Transaction } from '../store/postgres/tenant-database.ts';

/**
 * Processes a job. May be called again for the same job after a crash, a failure or the suspension of a worker, so the
 * handler's writes must depend on an epoch in the rows. If it throws, the job is retried.
 * @param signal aborts when the worker's drain time or the job's time limit is over. Another worker may then do the job
 */
export type JobHandler = (job: Job, signal: AbortSignal) => Promise<void>;

/** A job that used up its retries. Later jobs with the same key no longer wait for it. */
export interface DeadJob {
  readonly id: string;
  readonly job: Job;
  /** The last error's code; never its message, which may contain more than ids. */
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly failedAt: number;
}

/**
 * Queue of one tenant's jobs. A job stays in the queue until it is done. The rows are authoritative; a job only makes a
 * worker look at the rows. A handler that finds no work in the rows does nothing.
 *
 * @example
 * ```ts
 * import type { TenantDatabase } from '../store/postgres/tenant-database.ts';
 * import type { JobQueue } from './job-queue.ts';
 *
 * // A row and its job are committed together: either both exist or neither does.
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
   * Enqueues a job when the unit of work commits.
   * @param options.at earliest time, in milliseconds since the epoch. Until then the job does not block other jobs with
   *   the same key
   * @throws {TradeAgentError} `internal` for a job that contains more than ids, or belongs to another tenant
   */
  enqueue(unit: Transaction, job: Job, options?: { readonly at?: number }): Promise<void>;
  /** Like {@link enqueue}, for several jobs, with one statement for each kind. */
  enqueueAll(unit: Transaction, jobs: readonly Job[]): Promise<void>;
  /**
   * Starts processing jobs of a kind. Jobs with the same key are processed one at a time and in order, across all
   * processes. A failed job is retried after increasing delays. After its last retry a job is dead, and the next job
   * with the same key is processed.
   * @param options.concurrency maximum number of jobs at a time in this process
   */
  work(kind: JobKind, handler: JobHandler, options?: { readonly concurrency?: number }): Promise<void>;
  /** Returns dead jobs, newest first. */
  dead(limit?: number): Promise<DeadJob[]>;
  /**
   * Stops fetching jobs. Jobs in progress may finish within the drain time; then their signals abort, and the jobs
   * return to the queue for other workers. Idempotent.
   * @param options.drainMs defaults to 20 seconds, which is less than orchestrators wait before they kill a process
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/**
 * `run` continues a conversation thread until the thread has to wait; `collect` looks up the outcomes of the proposals
 * that runs wait for.
 */
export const JOB_KINDS = ['run', 'collect', 'check', 'notice', 'reconcile'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** The names of the ids that a job may contain. All other data is in the rows that the ids identify. */
const ID_NAMES = ['tenant', 'person', 'thread', 'run', 'schedule', 'condition', 'proposal', 'notice'] as const;

/** Matches ids such as `auth0|1`, and addresses. Rejects sentences, JSON, and anything as long as a token. */
const id = z.string().regex(/^[\w.~:|@/+=-]{1,128}$/);

const jobSchema = z.strictObject({
  kind: z.enum(JOB_KINDS),
  key: z.string().regex(/^[\w.~:|@/+=-]{1,256}$/),
  ids: z.partialRecord(z.enum(ID_NAMES), id),
});

/** A job is described by ids only, so that it contains no secrets and can be recreated from the rows if it is lost. */
export interface Job {
  readonly kind: JobKind;
  /**
   * `tenant|thread`. Jobs with the same key and kind are processed one at a time, in the order in which they were
   * enqueued.
   */
  readonly key: string;
  readonly ids: Readonly<Partial<Record<(typeof ID_NAMES)[number], string>>>;
}

/**
 * @throws {TradeAgentError} `internal` for an unknown kind, or data other than ids; the error does not quote the job
 */
export function parseJob(job: unknown): Job {
  const { data, error } = jobSchema.safeParse(job);
  if (data !== undefined) return data as Job;
  const where = error.issues.map(({ path }) => path.join('.') || 'job').join(', ');
  throw new TradeAgentError('internal', `a job may only contain ids (${where})`);
}

/** @throws {TradeAgentError} `internal` like {@link parseJob}, and for another tenant's job */
export function parseTenantJob(tenant: string, given: unknown): Job {
  const job = parseJob(given);
  if (job.ids.tenant !== undefined && job.ids.tenant !== tenant)
    throw new TradeAgentError('internal', 'the job belongs to another tenant');
  return job;
}
