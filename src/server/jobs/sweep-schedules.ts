import { timingMoments } from '../../schedule/cron-expression.ts';
import { decide } from '../../schedule/due.ts';
import { timingSchema } from '../../schedule/schedule.ts';
import type { TenantSchedules, Woken, WokenSchedule, WorkerLeases } from '../../store/schedule-rows.ts';
import type { TradingDay } from '../../trading/activity.ts';
import { wakeTime } from '../server-parts.ts';

/** Schedules per commit. */
const BATCH = 500;
/** The most queued jobs: engines are slow with long queues, and rows can wait. */
const MOST_QUEUED = 500;
/** Schedules due at one moment begin within this. */
const SPREAD_MS = 60_000;
/** The least schedules per turn: a few begin at once. */
const LEAST = 20;
/** The sweeper's lease; another worker takes over after it. */
const LEASE_MS = 5_000;

export interface SweepOptions {
  readonly schedules: Pick<TenantSchedules, 'waiting' | 'sweep'>;
  readonly leases: Pick<WorkerLeases, 'hold'>;
  /** The known market days; read only when something is due. */
  readonly days: () => Promise<readonly TradingDay[]>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds between turns. */
  readonly everyMs: number;
}

/**
 * Each turn enqueues checks of due schedules, the longest due first. Those due at one moment are spread over the next
 * minute, limited by what workers get done. One worker sweeps at a time, by a lease; if two do, because one was
 * suspended, each moment is still enqueued once (`TenantSchedules.sweep`).
 * @returns runs a turn, and returns the number of schedules it read
 */
export function scheduleSweep(options: SweepOptions): (signal: AbortSignal) => Promise<number> {
  const { schedules, leases, everyMs } = options;
  /** When the schedules due now are to be enqueued; undefined while none are. */
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
      // Another worker has the rest.
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
