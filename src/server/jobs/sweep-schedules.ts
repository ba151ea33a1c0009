import { timingRunTimes } from '../../schedule/cron-expression.ts';
import { decideRun } from '../../schedule/decide-run.ts';
import { timingSchema } from '../../schedule/schedule.ts';
import type { DueSchedule, TenantSchedules, WakePlan, WorkerLeases } from '../../store/schedule-rows.ts';
import type { TradingDay } from '../../trading/activity.ts';
import { nextReviewTime } from '../server-deps.ts';

const SCHEDULE_BATCH = 500;
/** Maximum number of queued jobs. A long queue makes finding the next job slow, so other due schedules wait as rows. */
const MAX_QUEUED = 500;
/** Period over which schedules that are due at the same time are started, in milliseconds. */
const SPREAD_MS = 60_000;
/** Minimum number of schedules per turn, so that spreading does not delay a few schedules. */
const MIN_PER_TURN = 20;
/** Lease of the sweeping worker, in milliseconds. Another worker takes over after it expires. */
const LEASE_MS = 5_000;

export interface ScheduleSweepOptions {
  readonly schedules: Pick<TenantSchedules, 'waiting' | 'sweep'>;
  readonly leases: Pick<WorkerLeases, 'hold'>;
  /** Returns the known trading days. Called only if a schedule is due. */
  readonly days: () => Promise<readonly TradingDay[]>;
  readonly now: () => number;
  readonly intervalMs: number;
}

/**
 * Creates a sweep that enqueues checks of due schedules, the longest overdue first. Spreads checks that are due at the
 * same time over the next minute, or longer if workers can't keep up. A lease lets only one worker sweep at a time.
 * Even if two workers sweep, because one was suspended, each check is enqueued only once (`TenantSchedules.sweep`).
 * @returns a function that runs one turn and returns the number of schedules that it read
 */
export function createScheduleSweep(options: ScheduleSweepOptions): (signal: AbortSignal) => Promise<number> {
  const { schedules, leases, intervalMs } = options;
  /** Time by which all schedules that are due now should be enqueued. Undefined if none are due. */
  let until: number | undefined;
  return async (signal) => {
    const now = options.now();
    const { due, queued } = await schedules.waiting(now);
    if (due === 0 || !(await leases.hold('sweep', LEASE_MS))) {
      until = undefined;
      return 0;
    }
    until ??= now + SPREAD_MS;
    const inTime = Math.ceil((due * intervalMs) / Math.max(until - now, intervalMs));
    const most = Math.min(Math.max(inTime, MIN_PER_TURN), MAX_QUEUED - queued, due);
    if (most <= 0) return 0;
    const days = await options.days();
    let taken = 0;
    while (taken < most) {
      signal.throwIfAborted();
      const wanted = Math.min(SCHEDULE_BATCH, most - taken);
      const batch = await schedules.sweep(now, wanted, (woken) => woken.map((one) => planWake(one, days, now)));
      taken += batch;
      // Another worker has taken the rest.
      if (batch < wanted) break;
    }
    return taken;
  };
}

function planWake({ timing: stored, ...progress }: DueSchedule, days: readonly TradingDay[], now: number): WakePlan {
  const timing = timingSchema.parse(stored);
  const decision = decideRun(timingRunTimes(timing, days), progress, now);
  const next = decision.run ? timingRunTimes(timing, days).after(now, 1)[0] : decision.next;
  return { wakeAt: nextReviewTime(timing, next, now), isDue: decision.run };
}
