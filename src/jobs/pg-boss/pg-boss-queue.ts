import { TradeAgentError } from '../../errors/errors.ts';
import { openPool } from '../../store/postgres/pool.ts';
import { requireTenant } from '../../store/postgres/tenant-database.ts';
import type { DeadJob, JobQueue } from '../job-queue.ts';
import { DRAIN_MS, type Job, type JobKind, parseJobOf } from '../job-queue.ts';
import { claimsOf, clearDead } from './claims.ts';
import { JOBS_SCHEMA } from './jobs-schema.ts';
import { openBoss } from './open-boss.ts';
import { ensureQueues, queueOf } from './queues.ts';
import { startWorker, type Worker } from './worker.ts';

/** How often jobs that died with their workers, and block their keys, are removed. */
const CLEAR_MS = 5_000;

export interface PgBossOptions {
  /** The server's database, with the application's login ({@link readServerAddress}). */
  readonly address: string;
  readonly tenant: string;
  /** The most connections; one is for notifications. */
  readonly max?: number;
  /** Gets errors that no caller awaits: failed jobs, a lost database. */
  readonly heard?: (error: unknown) => void;
}

/**
 * A queue by pg-boss, in the server's database. Waits up to a minute for a database that is starting.
 * @throws {TradeAgentError} `invalid_config` for an invalid address, or missing tables (`migrateJobs`)
 * @throws {RangeError} for a tenant that is not 1 to 64 of `[A-Za-z0-9._-]`
 */
export async function pgBossQueue({
  address,
  tenant,
  max = 6,
  heard = () => undefined,
}: PgBossOptions): Promise<JobQueue> {
  requireTenant(tenant);
  const pool = await openPool({ address, schema: JOBS_SCHEMA, max, tenant, synced: false });
  const workers = new Map<string, Worker>();
  const woken = (queue: string | undefined) => {
    if (queue === undefined) for (const worker of workers.values()) worker.again();
    else workers.get(queue)?.wake();
  };
  const boss = await openBoss(pool, { migrate: false, heard, woken })
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
      const job = parseJobOf(tenant, given);
      const id = await boss.send(queueOf(tenant, job.kind), job, {
        db: { executeSql: (text, values) => unit.execute(text, values) },
        singletonKey: job.key,
        ...(at !== undefined && { startAfter: new Date(at) }),
      });
      if (id === null) throw new TradeAgentError('internal', 'a job was not taken');
    },
    async enqueueAll(unit, given) {
      for (const [kind, jobs] of Map.groupBy(
        given.map((job) => parseJobOf(tenant, job)),
        (job) => job.kind,
      )) {
        const taken = await boss.insert(
          queueOf(tenant, kind),
          jobs.map((job) => ({ data: job, singletonKey: job.key })),
          { db: { executeSql: (text, values) => unit.execute(text, values) }, returnId: true },
        );
        if (taken?.length !== jobs.length) throw new TradeAgentError('internal', 'a job was not taken');
      }
    },
    async work(kind: JobKind, handler, { concurrency = 4 } = {}) {
      const queue = queueOf(tenant, kind);
      if (closed !== undefined || workers.has(queue))
        throw new TradeAgentError('internal', `jobs of kind ${kind} are done already, or no more`);
      workers.set(queue, startWorker({ claims: claimsOf(boss, pool, queue), handler, concurrency, heard }));
      clearing ??= setInterval(() => void clearDead(pool).catch(heard), CLEAR_MS);
    },
    async dead(limit = 100) {
      const { rows } = await pool.query<{ id: string; data: Job; at: number; code: string | null }>(
        `SELECT id, data, source_output->>'code' AS code, (extract(epoch FROM created_on) * 1000)::bigint AS at
         FROM ${JOBS_SCHEMA}.job_common WHERE name = $1 ORDER BY created_on DESC LIMIT $2`,
        [queueOf(tenant, 'dead'), limit],
      );
      return rows.map(
        ({ id, data, at, code }): DeadJob => ({ id, job: data, failedAt: at, code: code ?? 'lost' }),
      );
    },
    close: ({ drainMs = DRAIN_MS } = {}) => (closed ??= end(drainMs)),
  };
}
