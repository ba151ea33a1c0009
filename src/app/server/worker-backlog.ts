import type { Backlog } from '../../gateway/telemetry/measured-backlog.ts';
import { jobCounts } from '../../jobs/pg-boss/job-counts.ts';
import { allSchedules } from '../../server/kept-schedule.ts';
import type { ServerParts } from '../../server/server-parts.ts';
import { postgresWorkerLeases } from '../../store/postgres/state/worker-leases.ts';

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
