import { z } from 'zod';
import { TradeAgentError } from '../errors/errors.ts';
import type { Unit } from '../store/postgres/tenant-database.ts';

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

/** `run` drives a thread to its interrupts, `collect` asks for the outcomes of proposals that runs wait for. */
export const JOB_KINDS = ['run', 'collect', 'check', 'notice', 'reconcile'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

/** The ids a job may contain; everything else is in the rows they identify. */
const ID_NAMES = [
  'tenant',
  'person',
  'thread',
  'run',
  'schedule',
  'condition',
  'proposal',
  'notice',
] as const;

/** Ids, including subjects such as `auth0|1` and addresses: no sentence, no JSON, nothing as long as a token. */
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

/** @throws {TradeAgentError} `internal` for an unknown kind, or more than ids; without quoting it */
export function parseJob(job: unknown): Job {
  const { data, error } = jobSchema.safeParse(job);
  if (data !== undefined) return data as Job;
  const where = error.issues.map(({ path }) => path.join('.') || 'job').join(', ');
  throw new TradeAgentError('internal', `a job carries ids alone (${where})`);
}

/** @throws {TradeAgentError} `internal` as {@link parseJob}, and for another tenant's job */
export function parseJobOf(tenant: string, given: unknown): Job {
  const job = parseJob(given);
  if (job.ids.tenant !== undefined && job.ids.tenant !== tenant)
    throw new TradeAgentError('internal', 'a job of another tenant');
  return job;
}

/** Retries. A job that fails three times won't succeed later, and its waiter must be told. */
export const RETRY_LIMIT = 2;
/** The first retry delay, seconds; doubles each time. */
export const RETRY_SECONDS = 1;
/** A worker's heartbeat interval: three before its jobs count as lost. */
export const RENEW_MS = 3_000;
/** A worker silent for so long has lost its jobs; pg-boss's minimum. */
export const HEARTBEAT_SECONDS = 10;
/** Dead jobs are kept for people to inspect. */
export const KEEP_DEAD_SECONDS = 30 * 24 * 3600;
/** How long running jobs may take when closing: less than orchestrators wait before they kill. */
export const DRAIN_MS = 20_000;
/** How long a job may take after its signal aborted. */
export const ABORT_MS = 2_000;

/** A job's time limit, seconds. A run asks a language model many times; the others ask a gateway or send a message. */
export const expireInSeconds: Readonly<Record<JobKind, number>> = {
  run: 900,
  collect: 120,
  check: 300,
  notice: 120,
  reconcile: 120,
};
