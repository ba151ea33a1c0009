import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { Unit } from '../store/postgres/tenant-database.ts';

/**
 * Does a job, possibly more than once: after a crash, a failure, or the suspension of a worker. So its writes must depend on
 * an epoch in the rows. If it throws, the job is retried.
 * @param signal aborts if the job is taken back: the worker's drain time or the job's time limit is over. From then on
 *   another worker may do it
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
 * Jobs of one tenant, kept until they are done. The rows are the truth, and a job only makes someone work on them: a handler
 * that finds no row that still needs the job has nothing to do.
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
   * @param options.at earliest time, in milliseconds since the epoch. Until then the job does not block others of its key
   * @throws {TradeAgentError} `internal` for a job that contains more than ids, or is another tenant's
   */
  enqueue(unit: Unit, job: Job, options?: { readonly at?: number }): Promise<void>;
  /** Like {@link enqueue}, for several jobs, if the engine supports it. */
  enqueueAll?(unit: Unit, jobs: readonly Job[]): Promise<void>;
  /**
   * Does jobs of a kind from now on, those of one key one at a time and in order, across all processes. A failed job is
   * retried after a growing delay. After its last retry it is dead, and the next of its key is done.
   * @param options.concurrency maximum number of jobs at a time in this process
   */
  work(kind: JobKind, handler: JobHandler, options?: { readonly concurrency?: number }): Promise<void>;
  /** Returns dead jobs, newest first. */
  dead(limit?: number): Promise<DeadJob[]>;
  /**
   * Stops taking jobs. Jobs in progress may end in time; then their signals abort, and they are given back for another worker
   * at once. Idempotent.
   * @param options.drainMs defaults to 20 seconds, less than orchestrators wait before they kill a process
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
}

/** `run` drives a thread to its interrupts; `collect` looks up the outcomes of proposals that runs wait for. */
export const JOB_KINDS = ['run', 'collect', 'check', 'notice', 'reconcile'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** The ids that a job may contain. Everything else is in the rows they identify. */
const ID_NAMES = ['tenant', 'person', 'thread', 'run', 'schedule', 'condition', 'proposal', 'notice'] as const;

/** Ids, including subjects such as `auth0|1`, and addresses. Excludes sentences, JSON, and anything as long as a token. */
const id = z.string().regex(/^[\w.~:|@/+=-]{1,128}$/);

const jobSchema = z.strictObject({
  kind: z.enum(JOB_KINDS),
  /** `tenant|thread`. */
  key: z.string().regex(/^[\w.~:|@/+=-]{1,256}$/),
  ids: z.partialRecord(z.enum(ID_NAMES), id),
});

/** Work described by ids only: nothing in it is secret, and a lost job can be recreated from the rows. */
export interface Job {
  readonly kind: JobKind;
  /** Jobs of one key and kind are done one at a time, in the order they were enqueued: `tenant|thread`. */
  readonly key: string;
  readonly ids: Readonly<Partial<Record<(typeof ID_NAMES)[number], string>>>;
}

/** @throws {TradeAgentError} `internal` for an unknown kind, or more than ids. The message does not quote the job */
export function parseJob(job: unknown): Job {
  const { data, error } = jobSchema.safeParse(job);
  if (data !== undefined) return data as Job;
  const where = error.issues.map(({ path }) => path.join('.') || 'job').join(', ');
  throw new TradeAgentError('internal', `a job may only contain ids (${where})`);
}

/** @throws {TradeAgentError} `internal` as {@link parseJob}, and for another tenant's job */
export function parseTenantJob(tenant: string, given: unknown): Job {
  const job = parseJob(given);
  if (job.ids.tenant !== undefined && job.ids.tenant !== tenant)
    throw new TradeAgentError('internal', 'a job of another tenant');
  return job;
}

/** Number of retries. A job that fails three times won't succeed later, and whoever waits for it must be notified. */
export const RETRY_LIMIT = 2;
/** The first retry delay, seconds; doubles each time. */
export const RETRY_SECONDS = 1;
/** A worker's heartbeat interval: it sends three before its jobs would count as lost. */
export const HEARTBEAT_INTERVAL_MS = 3_000;
/** A worker silent for so long has lost its jobs; pg-boss's minimum. */
export const HEARTBEAT_TIMEOUT_SECONDS = 10;
/** How long dead jobs are kept for people to inspect. */
export const DEAD_JOB_RETENTION_SECONDS = 30 * 24 * 3600;
/** How long jobs may take when the queue closes: less than orchestrators wait before they kill a process. */
export const DEFAULT_DRAIN_MS = 20_000;
/** How long a job may take after its signal aborted. */
export const ABORT_GRACE_MS = 2_000;

/** A job's time limit, seconds. A run asks a language model many times; the others ask a gateway or send a message. */
export const expireInSeconds: Readonly<Record<JobKind, number>> = {
  run: 900,
  collect: 120,
  check: 300,
  notice: 120,
  reconcile: 120,
};
