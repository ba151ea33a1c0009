import { setTimeout as sleep } from 'node:timers/promises';
import { TradeAgentError } from '../../errors/errors.ts';
import { openPool } from '../../store/postgres/pool.ts';
import { validateTenantName } from '../../store/postgres/tenant-database.ts';
import {
  type DeadJob,
  type Job,
  type JobHandler,
  type JobKind,
  type JobQueue,
  parseJob,
  parseTenantJob,
} from '../job-queue.ts';
import { type ClaimedJob, createJobClaims, type JobClaims, removeDeadJobs } from './claims.ts';
import { JOBS_SCHEMA } from './jobs-schema.ts';
import { startPgBoss } from './open-boss.ts';
import { ensureQueues, queueName } from './queues.ts';

/** Interval in milliseconds for removing dead jobs of lost workers. A dead job blocks other jobs with the same key. */
const CLEAR_INTERVAL_MS = 5_000;
/** Interval of heartbeats, in milliseconds: a worker misses three before its jobs count as lost. */
const HEARTBEAT_INTERVAL_MS = 3_000;
/** Drain time when the queue closes, in milliseconds: less than orchestrators wait before they kill a process. */
const DEFAULT_DRAIN_MS = 20_000;
/** How long a job may continue after its signal aborted, in milliseconds. */
const ABORT_GRACE_MS = 2_000;

export interface PgBossOptions {
  /** Connection string of the server's database, for the application's role ({@link readServerAddress}). */
  readonly address: string;
  readonly tenant: string;
  /** Maximum number of connections, one of which is for notifications. */
  readonly max?: number;
  /** Receives errors that reach no caller, such as a failed job's error or a lost connection. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Opens a job queue on pg-boss, in the server's database. Waits up to a minute for a database that is still starting.
 * @throws {TradeAgentError} `invalid_config` for an invalid address, or missing tables (`migrateJobs`)
 * @throws {RangeError} unless the tenant is 1 to 64 of `[A-Za-z0-9._-]`
 */
export async function openPgBossQueue({
  address,
  tenant,
  max = 6,
  onError: heard = () => undefined,
}: PgBossOptions): Promise<JobQueue> {
  validateTenantName(tenant);
  const pool = await openPool({ address, schema: JOBS_SCHEMA, max, tenant, synced: false });
  const workers = new Map<string, Worker>();
  const woken = (queue: string | undefined) => {
    if (queue === undefined) for (const worker of workers.values()) worker.again();
    else workers.get(queue)?.wake();
  };
  const boss = await startPgBoss(pool, { migrate: false, heard, woken })
    .then(async (started) => {
      await ensureQueues(started, tenant);
      return started;
    })
    .catch(async (cause: unknown) => {
      await pool.end();
      throw cause;
    });
  let clearing: NodeJS.Timeout | undefined;
  const end = async (drainMs: number) => {
    await Promise.all([...workers.values()].map((worker) => worker.close(drainMs)));
    clearInterval(clearing);
    await boss.stop({ close: false, graceful: false });
    await pool.end();
  };
  let closed: Promise<void> | undefined;

  return {
    async enqueue(unit, given, { at } = {}) {
      const job = parseTenantJob(tenant, given);
      const id = await boss.send(queueName(tenant, job.kind), job, {
        db: { executeSql: (text, values) => unit.execute(text, values) },
        singletonKey: job.key,
        ...(at !== undefined && { startAfter: new Date(at) }),
      });
      if (id === null) throw new TradeAgentError('internal', 'a job was not accepted');
    },
    async enqueueAll(unit, given) {
      for (const [kind, jobs] of Map.groupBy(
        given.map((job) => parseTenantJob(tenant, job)),
        (job) => job.kind,
      )) {
        const taken = await boss.insert(
          queueName(tenant, kind),
          jobs.map((job) => ({ data: job, singletonKey: job.key })),
          { db: { executeSql: (text, values) => unit.execute(text, values) }, returnId: true },
        );
        if (taken?.length !== jobs.length) throw new TradeAgentError('internal', 'a job was not accepted');
      }
    },
    async work(kind: JobKind, handler, { concurrency = 4 } = {}) {
      const queue = queueName(tenant, kind);
      if (closed !== undefined || workers.has(queue))
        throw new TradeAgentError('internal', `${kind} jobs already have a worker, or the queue is closed`);
      workers.set(queue, startWorker({ claims: createJobClaims(boss, pool, queue), handler, concurrency, heard }));
      clearing ??= setInterval(() => void removeDeadJobs(pool).catch(heard), CLEAR_INTERVAL_MS);
    },
    async dead(limit = 100) {
      const { rows } = await pool.query<{ id: string; data: Job; at: number; code: string | null }>(
        `SELECT id, data, source_output->>'code' AS code, (extract(epoch FROM created_on) * 1000)::bigint AS at
         FROM ${JOBS_SCHEMA}.job_common WHERE name = $1 ORDER BY created_on DESC LIMIT $2`,
        [queueName(tenant, 'dead'), limit],
      );
      return rows.map(({ id, data, at, code }): DeadJob => ({ id, job: data, failedAt: at, code: code ?? 'lost' }));
    },
    close: ({ drainMs = DEFAULT_DRAIN_MS } = {}) => (closed ??= end(drainMs)),
  };
}

/**
 * Shortest and longest delay in milliseconds between attempts to report an outcome, and between fetches if there are no
 * notifications (a job notifies when enqueued, but not when it becomes due). Each delay is twice the previous delay.
 */
const [SHORTEST_MS, LONGEST_MS] = [100, 2_000];
/**
 * Delay in milliseconds before the next fetch if the worker was fully busy, so that one fetch gets several jobs. Each
 * fetch scans every waiting key, which takes 65 ms for 20,000 keys.
 */
const FETCH_DELAY_MS = 20;

/**
 * Time in milliseconds during which a reported outcome can still be lost if the database crashes. Outcomes are not
 * fsynced: PostgreSQL writes them within three times `wal_writer_delay`, which is 200 ms by default.
 */
const UNSYNCED_OUTCOME_MS = 5_000;

interface WorkerOptions {
  readonly claims: JobClaims;
  readonly handler: JobHandler;
  readonly concurrency: number;
  readonly heard: (error: unknown) => void;
}

type Worker = ReturnType<typeof startWorker>;

interface Running {
  readonly claim: ClaimedJob;
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/**
 * Starts a worker that processes the jobs of one queue. pg-boss's own `work` reports jobs that were fetched together
 * only when the last one has ended, and blocks their keys until then; this worker reports each job separately.
 */
function startWorker({ claims, handler, concurrency, heard }: WorkerOptions) {
  const running = new Map<ClaimedJob, Running>();
  const closing = new AbortController();
  const wakeSignal = createWakeSignal();

  const outcomes = createOutcomeReporter({
    isOurs: (claim) => !closing.signal.aborted && running.has(claim),
    heard,
  });

  const settle = async (claim: ClaimedJob, signal: AbortSignal): Promise<void> => {
    let failure: { error: unknown } | undefined;
    try {
      await handler(parseJob(claim.data), signal);
    } catch (error) {
      failure = { error };
    }
    // The job was given back or lost, so this attempt does not report its outcome.
    if (!running.has(claim)) return;
    if (failure === undefined) return await outcomes.report(claim, () => claims.done(claim));
    if (closing.signal.aborted && signal.aborted) return await claims.giveBack(claim);
    heard(failure.error);
    const code = failure.error instanceof TradeAgentError ? failure.error.code : 'internal';
    await outcomes.report(claim, () => claims.failed(claim, code));
  };
  const begin = (claim: ClaimedJob) => {
    const abort = new AbortController();
    const expiry = setTimeout(() => abort.abort(), claim.expireInSeconds * 1000);
    const ended = Promise.resolve()
      .then(() => settle(claim, abort.signal))
      // If reporting fails, the job counts as lost and is done again.
      .catch(heard)
      .finally(() => {
        clearTimeout(expiry);
        running.delete(claim);
        wakeSignal.set();
      });
    running.set(claim, { claim, abort, ended });
  };
  const fetch = async (): Promise<number> => {
    const fetched = await claims.fetch(concurrency - running.size);
    if (closing.signal.aborted) await Promise.all(fetched.map((claim) => claims.giveBack(claim)));
    else for (const claim of fetched) begin(claim);
    return fetched.length;
  };
  const gather = async () => {
    if (await wakeSignal.waitUntilSet(LONGEST_MS)) await sleep(FETCH_DELAY_MS);
  };
  const loop = async () => {
    for (let pause = SHORTEST_MS; !closing.signal.aborted; ) {
      const free = concurrency - running.size;
      if (free === 0) {
        await gather();
        continue;
      }
      const found = await fetch().catch((error: unknown) => {
        heard(error);
        return 0;
      });
      pause = found > 0 ? SHORTEST_MS : Math.min(pause * 2, LONGEST_MS);
      if (found < free && (await wakeSignal.waitUntilSet(pause))) pause = SHORTEST_MS;
    }
  };
  const renew = async () => {
    const held = [...running.keys()];
    if (held.length === 0) return;
    for (const lost of await claims.renew(held)) {
      const job = running.get(lost);
      running.delete(lost);
      job?.abort.abort();
    }
  };
  const renewing = setInterval(() => void renew().catch(heard), HEARTBEAT_INTERVAL_MS);
  const looping = loop();

  return {
    wake: wakeSignal.set,
    /** Wakes the worker and reports recent outcomes again, because the database may have restarted. */
    again(): void {
      outcomes.again();
      wakeSignal.set();
    },
    async close(drainMs: number): Promise<void> {
      closing.abort();
      wakeSignal.set();
      await looping;
      const all = () => Promise.all([...running.values()].map(({ ended }) => ended));
      await waitAtMost(drainMs, all());
      for (const { abort } of running.values()) abort.abort();
      await waitAtMost(ABORT_GRACE_MS, all());
      const left = [...running.keys()];
      running.clear();
      await Promise.all(left.map((claim) => claims.giveBack(claim).catch(heard)));
      clearInterval(renewing);
    },
  };
}

/**
 * Returns functions that report outcomes to a database that may be unavailable. A job without a reported outcome blocks
 * its key until it counts as lost.
 */
function createOutcomeReporter({
  isOurs,
  heard,
}: {
  readonly isOurs: (claim: ClaimedJob) => boolean;
  readonly heard: (error: unknown) => void;
}) {
  /** Recently reported outcomes, oldest first. */
  const reported = new Map<ClaimedJob, { readonly at: number; readonly report: () => Promise<void> }>();
  return {
    /** Retries until the report succeeds, or this process no longer has the job. */
    async report(claim: ClaimedJob, report: () => Promise<void>): Promise<void> {
      for (let pause = SHORTEST_MS; ; pause = Math.min(pause * 2, LONGEST_MS)) {
        try {
          await report();
          break;
        } catch (error) {
          heard(error);
        }
        await sleep(pause);
        if (!isOurs(claim)) return;
      }
      const now = performance.now();
      for (const [one, { at }] of reported) {
        if (at >= now - UNSYNCED_OUTCOME_MS) break;
        reported.delete(one);
      }
      reported.set(claim, { at: now, report });
    },
    /** Repeats recent reports, because the database may have lost them. */
    again(): void {
      for (const { report } of reported.values()) report().catch(heard);
    },
  };
}

/** Creates a wake-up signal for one waiting caller. If the signal was set earlier, waiting ends at once. */
function createWakeSignal() {
  let isSet = false;
  let wake = () => {};
  return {
    set: () => {
      isSet = true;
      wake();
    },
    /** Waits until the signal is set, then resets the signal. Returns false on timeout. */
    async waitUntilSet(ms: number): Promise<boolean> {
      if (!isSet) await waitAtMost(ms, new Promise<void>((resolve) => (wake = resolve)));
      const wasSet = isSet;
      isSet = false;
      return wasSet;
    },
  };
}

async function waitAtMost(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
