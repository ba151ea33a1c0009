import type { Backlog } from '../../gateway/telemetry/measured-backlog.ts';
import { countJobs } from '../../jobs/pg-boss/job-counts.ts';
import { createTradingDayReader } from '../../server/jobs/market-days.ts';
import { createNoticeJob } from '../../server/jobs/notice-job.ts';
import { createReconcileJob } from '../../server/jobs/reconcile-job.ts';
import { collectRuns } from '../../server/jobs/run-collector.ts';
import { createRunJob } from '../../server/jobs/run-job.ts';
import { createScheduleSweep } from '../../server/jobs/sweep-schedules.ts';
import { checkPriceConditions } from '../../server/jobs/watch-prices.ts';
import type { NoticeDeps, ServerDeps } from '../../server/server-deps.ts';
import { tenantSchedules } from '../../server/server-deps.ts';
import { postgresCalendarRows } from '../../store/postgres/state/calendar-rows.ts';
import { postgresWorkerLeases } from '../../store/postgres/state/worker-leases.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { serveTelemetry } from '../gateway/served-telemetry.ts';
import type { ServerLog } from '../gateway/server-log.ts';
import { DRAIN_TIMEOUT_MS, serve } from '../serve.ts';
import { createCheckJob } from './check-job.ts';
import { openServer } from './open-server.ts';
import { readServerSettings, type ServerPaths } from './server-places.ts';

interface ServeWorkerOptions extends ServerPaths {
  readonly env: NodeJS.ProcessEnv;
  /** Maximum number of runs in parallel. The same limit applies separately to checks and to notices. */
  readonly concurrency: number;
  readonly readyFile?: string;
  readonly ready: (worker: RunningWorker) => Promise<void>;
}

export interface RunningWorker {
  readonly gateway: string;
  readonly tenant: string;
  readonly concurrency: number;
  readonly metrics?: string;
  readonly home: string;
  readonly pid: number;
}

/** Processes jobs until the signal aborts. @throws {TradeAgentError} `invalid_config`, `port_in_use` */
export async function serveWorker(
  app: Pick<App, 'clock' | 'signal'> & { readonly log: ServerLog },
  options: ServeWorkerOptions,
): Promise<void> {
  const settings = await readServerSettings(options.config);
  const { clock, signal } = app;
  const log = app.log.ofTenant(settings.database.tenant);
  const { concurrency, home, ready, readyFile } = options;
  await serve<RunningWorker>({
    signal,
    ready,
    readyFile,
    async open(onClose) {
      const telemetry = await serveTelemetry(settings.telemetry, clock);
      onClose(() => telemetry.close());
      const opened = await openServer(settings, options, { clock, log, fetch: telemetry.fetch });
      onClose(() => opened.close());
      const { due, paced } = opened;
      const { jobs } = opened.parts;
      const parts = {
        ...opened.parts,
        jobs: {
          ...jobs,
          work: (...[kind, handler, limits]: Parameters<typeof jobs.work>) =>
            jobs.work(kind, telemetry.jobs(kind, handler), limits),
        },
      };
      const stop = new AbortController();
      await parts.jobs.work('run', createRunJob(parts), { concurrency });
      const schedules = await startScheduleWork({ ...parts, ...opened.notices, concurrency });
      const collecting = collectRuns({ ...parts, due, paced }, stop.signal);
      onClose(async () => {
        stop.abort();
        await Promise.all([collecting, schedules.stop(), parts.jobs.close({ drainMs: DRAIN_TIMEOUT_MS })]);
      });
      telemetry.worker(
        {
          askStore: () => parts.database.read((unit) => unit.one('SELECT 1 AS one')),
          isShut: () => stop.signal.aborted,
        },
        () => readWorkerBacklog(parts),
      );
      const { gateway, database } = settings;
      const measured = defined({ metrics: telemetry.url });
      return { gateway, tenant: database.tenant, concurrency, ...measured, home, pid: process.pid };
    },
  });
}

export async function readWorkerBacklog(parts: Pick<ServerDeps, 'database' | 'jobs' | 'clock'>): Promise<Backlog> {
  const [jobs, { due }, leases] = await Promise.all([
    countJobs(parts.database),
    tenantSchedules(parts).waiting(parts.clock.now()),
    postgresWorkerLeases(parts.database).all(),
  ]);
  return { ...jobs, schedulesDue: due, leases };
}

/** Intervals at which due schedules and prices are checked, in milliseconds. */
const [SWEEP_MS, WATCH_MS] = [1_000, 5_000];

interface ScheduleWorkOptions extends ServerDeps, NoticeDeps {
  /** Maximum number of checks in parallel. The same limit applies separately to notices and to reconciliations. */
  readonly concurrency?: number;
}

/** Starts a worker's job handlers and loops. `stop` ends only the loops, because the queue waits for its own jobs. */
export async function startScheduleWork(options: ScheduleWorkOptions) {
  const { jobs, clock, database, sessions, concurrency = 4, onError } = options;
  const schedules = tenantSchedules(options);
  const leases = postgresWorkerLeases(database);
  const days = createTradingDayReader({ rows: postgresCalendarRows(database), schedules, sessions, clock });
  await jobs.work('check', createCheckJob({ ...options, days }), { concurrency });
  await jobs.work('notice', createNoticeJob(options), { concurrency });
  await jobs.work('reconcile', createReconcileJob(options), { concurrency });
  const now = () => clock.now();
  const sweep = createScheduleSweep({ schedules, leases, days: days.known, now, intervalMs: SWEEP_MS });
  const stopping = new AbortController();
  const { signal } = stopping;
  const repeat = async (intervalMs: number, failed: string, turn: (signal: AbortSignal) => Promise<unknown>) => {
    while (!signal.aborted) {
      try {
        await turn(signal);
      } catch (error) {
        if (!signal.aborted) onError(`${failed}: ${error instanceof Error ? error.name : 'an error'}`);
      }
      await clock.sleep(intervalMs, signal).catch(() => undefined);
    }
  };
  const loops = [
    repeat(SWEEP_MS, 'schedules could not be checked', sweep),
    repeat(WATCH_MS, 'prices could not be checked', () =>
      checkPriceConditions({ schedules, leases, sessions, now, signal }),
    ),
  ];
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      await leases.release();
    },
  };
}
