import { marketDays } from '../../server/jobs/market-days.ts';
import { noticeJob } from '../../server/jobs/notice-job.ts';
import { reconcileJob } from '../../server/jobs/reconcile-job.ts';
import { type Repeated, repeated } from '../../server/jobs/repeated.ts';
import { scheduleSweep } from '../../server/jobs/sweep-schedules.ts';
import { watchPrices } from '../../server/jobs/watch-prices.ts';
import { allSchedules } from '../../server/kept-schedule.ts';
import type { NoticeParts } from '../../server/person-notices.ts';
import type { ServerParts } from '../../server/server-parts.ts';
import { postgresCalendarRows } from '../../store/postgres/state/calendar-rows.ts';
import { postgresWorkerLeases } from '../../store/postgres/state/worker-leases.ts';
import { checkJob } from './check-job.ts';

/** How late a schedule may be begun, and how late a price be seen, milliseconds. */
const [SWEEP_MS, WATCH_MS] = [1_000, 5_000];

export interface ScheduleWorkOptions extends ServerParts, NoticeParts {
  /** Checks, notices and looks for lost outcomes that this worker is at once, each. */
  readonly concurrency?: number;
}

/** What a worker does for schedules, until it is stopped; their jobs are the queue's to drain. */
export async function startScheduleWork(options: ScheduleWorkOptions): Promise<Repeated> {
  const { jobs, clock, database, sessions, concurrency = 4 } = options;
  const schedules = allSchedules(options);
  const leases = postgresWorkerLeases(database);
  const days = marketDays({ rows: postgresCalendarRows(database), schedules, sessions, clock });
  const failed = (what: string) => (error: unknown) =>
    options.onError(`${what}: ${error instanceof Error ? error.name : 'an error'}`);
  await jobs.work('check', checkJob({ ...options, days }), { concurrency });
  await jobs.work('notice', noticeJob(options), { concurrency });
  await jobs.work('reconcile', reconcileJob(options), { concurrency });
  const now = () => clock.now();
  const sweep = scheduleSweep({ schedules, leases, days: days.known, now, everyMs: SWEEP_MS });
  const sweeping = repeated(sweep, {
    ...{ clock, everyMs: SWEEP_MS, failed: failed('schedules could not be looked at') },
  });
  const watching = repeated((signal) => watchPrices({ schedules, leases, sessions, now, signal }), {
    clock,
    everyMs: WATCH_MS,
    failed: failed('prices could not be looked at'),
  });
  return {
    async stop() {
      await Promise.all([sweeping.stop(), watching.stop()]);
      await leases.release();
    },
  };
}
