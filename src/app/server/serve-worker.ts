import type { Backlog } from '../../gateway/telemetry/measured-backlog.ts';
import { jobCounts } from '../../jobs/pg-boss/job-counts.ts';
import { collectRuns } from '../../server/jobs/run-collector.ts';
import { runJob } from '../../server/jobs/run-job.ts';
import { allSchedules } from '../../server/kept-schedule.ts';
import type { ServerParts } from '../../server/server-parts.ts';
import { postgresWorkerLeases } from '../../store/postgres/state/worker-leases.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { serveTelemetry } from '../gateway/served-telemetry.ts';
import { tellReady } from '../serve-routes.ts';
import { servedUntilStopped } from '../served-until-stopped.ts';
import { openServer } from './open-server.ts';
import { startScheduleWork } from './schedule-work.ts';
import { readServerSettings, type ServerPlaces } from './server-places.ts';

export interface ServeWorkerOptions extends ServerPlaces {
  readonly env: NodeJS.ProcessEnv;
  /** Runs that it drives at once, and checks, and notices. */
  readonly concurrency: number;
  readonly readyFile?: string;
  readonly ready: (worker: ServedWorker) => Promise<void>;
}

/** A worker that does jobs. */
export interface ServedWorker {
  readonly gateway: string;
  readonly tenant: string;
  readonly concurrency: number;
  readonly metrics?: string;
  readonly home: string;
  readonly pid: number;
}

/** A model may be answering; what is not done by then goes on at another worker. Milliseconds. */
const DRAIN_MS = 20_000;

/**
 * Does jobs until the signal aborts; any number of them over one database.
 * @throws {TradeAgentError} `invalid_config`, `port_in_use`
 */
export async function serveWorker(
  app: Pick<App, 'clock' | 'signal' | 'tell'>,
  options: ServeWorkerOptions,
): Promise<void> {
  const settings = await readServerSettings(options.config);
  const { clock, tell } = app;
  const { concurrency, home } = options;
  const telemetry = await serveTelemetry(settings.telemetry, clock);
  const opened = await openServer(settings, options, { clock, tell, fetch: telemetry.fetch }).catch(
    async (error) => {
      await telemetry.close();
      throw error;
    },
  );
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
  await parts.jobs.work('run', runJob(parts), { concurrency });
  const schedules = await startScheduleWork({ ...parts, ...opened.notices, concurrency });
  const looking = [collectRuns({ ...parts, due, paced }, stop.signal)];
  telemetry.worker(
    {
      askStore: () => parts.database.read((unit) => unit.one('SELECT 1 AS one')),
      isShut: () => stop.signal.aborted,
    },
    () => workerBacklog(parts),
  );
  const measured = defined({ metrics: telemetry.url });
  const { gateway, database } = settings;
  const told = { gateway, tenant: database.tenant, concurrency, ...measured, home, pid: process.pid };
  await tellReady(options, told);
  await servedUntilStopped(app.signal, async () => {
    stop.abort();
    await Promise.all([...looking, schedules.stop(), parts.jobs.close({ drainMs: DRAIN_MS })]);
    await telemetry.close();
    await opened.close();
  });
}

/** What waits for the workers of a tenant. */
export async function workerBacklog(
  parts: Pick<ServerParts, 'database' | 'jobs' | 'clock'>,
): Promise<Backlog> {
  const [jobs, { due }, leases] = await Promise.all([
    jobCounts(parts.database),
    allSchedules(parts).waiting(parts.clock.now()),
    postgresWorkerLeases(parts.database).all(),
  ]);
  return { ...jobs, schedulesDue: due, leases };
}
