import { timingMoments } from '../../schedule/cron-expression.ts';
import { decide } from '../../schedule/due.ts';
import { timingSchema } from '../../schedule/schedule.ts';
import type { TenantSchedules, Woken, WokenSchedule, WorkerLeases } from '../../store/schedule-rows.ts';
import type { TradingDay } from '../../trading/activity.ts';
import { wakeTime } from '../kept-schedule.ts';

/** So many schedules in one commit. */
const BATCH = 500;
/** So many jobs wait at most: an engine is slow with a long queue, and rows can wait as well. */
const MOST_QUEUED = 500;
/** What falls due at one moment is begun within this. */
const SPREAD_MS = 60_000;
/** Where few are due they are begun at once: so many a turn at least. */
const LEAST = 20;
/** Whoever sweeps goes on with it, and another worker takes it up where it is gone for so long. */
const LEASE_MS = 5_000;

export interface SweepOptions {
  readonly schedules: Pick<TenantSchedules, 'waiting' | 'sweep'>;
  readonly leases: Pick<WorkerLeases, 'hold'>;
  /** The market's days as they are known; empty where none are. Asked where something is due. */
  readonly days: () => Promise<readonly TradingDay[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds between two turns. */
  readonly everyMs: number;
}

/**
 * One turn after another, each of which enqueues checks of schedules that are due, the longest due first. What falls due at one
 * moment is spread over the minute after it: a turn takes so many that all are through by then, and no more than workers get
 * done. By a lease one worker sweeps at a time; where two do, as one wakes that stood still, each moment is enqueued once all the
 * same (`TenantSchedules.sweep`).
 * @returns takes a turn, and says how many schedules it looked at
 */
export function scheduleSweep(options: SweepOptions): (signal: AbortSignal) => Promise<number> {
  const { schedules, leases, everyMs } = options;
  /** When what is due now is to be through; undefined while nothing is. */
  let until: number | undefined;
  return async (signal) => {
    const now = options.now();
    const { due, queued } = await schedules.waiting(now);
    if (due === 0 || !(await leases.hold('sweep', LEASE_MS))) {
      until = undefined;
      return 0;
    }
    until ??= now + SPREAD_MS;
    const inTime = Math.ceil((due * everyMs) / Math.max(until - now, everyMs));
    const most = Math.min(Math.max(inTime, LEAST), MOST_QUEUED - queued, due);
    if (most <= 0) return 0;
    const days = await options.days();
    let taken = 0;
    while (taken < most) {
      signal.throwIfAborted();
      const wanted = Math.min(BATCH, most - taken);
      const batch = await schedules.sweep(now, wanted, (woken) => woken.map((one) => looked(one, days, now)));
      taken += batch;
      // Somebody else has the rest.
      if (batch < wanted) break;
    }
    return taken;
  };
}

function looked(
  { timing: stored, ...progress }: WokenSchedule,
  days: readonly TradingDay[],
  now: number,
): Woken {
  const timing = timingSchema.parse(stored);
  const decision = decide(timingMoments(timing, days), progress, now);
  const next = decision.run ? timingMoments(timing, days).after(now, 1)[0] : decision.next;
  return { wakeAt: wakeTime(timing, next, now), isDue: decision.run };
}
