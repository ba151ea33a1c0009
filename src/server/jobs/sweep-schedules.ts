import { decide } from '../../schedule/due.ts';
import type { Moments } from '../../schedule/moments.ts';
import { type Timing, timingSchema } from '../../schedule/schedule.ts';
import { timingMoments } from '../../schedule/timing-moments.ts';
import type { TenantSchedules, Woken, WokenSchedule } from '../../store/schedule-rows.ts';
import type { TradingDay } from '../../trading/activity.ts';

/** So many schedules in one commit. */
const BATCH = 500;
/** What falls due at one moment is begun within this. */
export const SPREAD_MS = 60_000;
/** Where few are due they are begun at once: so many a second, or as many as it takes to be through within the minute. */
const LEAST_PER_SECOND = 10;
/** One that goes by the market's days is looked at this often, since these may change. */
const MARKET_LOOK_MS = 12 * 3_600_000;
/** And this often while nobody knows them. */
const NO_MARKET_LOOK_MS = 5 * 60_000;
/** Expressions whose moments are kept: to read one takes longer than to ask it. */
const MOST_KEPT = 1_000;

export interface SweepOptions {
  readonly schedules: TenantSchedules;
  /** The market's days as they are known; empty where none are. Asked where something is due. */
  readonly days: () => Promise<readonly TradingDay[]>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

/**
 * Enqueues a check for each schedule that is due. What falls due at one moment is spread over the minute after it, evenly and in
 * order. @returns how many schedules were looked at
 */
export async function sweepSchedules(options: SweepOptions): Promise<number> {
  const { schedules, now, signal } = options;
  const all = await schedules.due(now);
  if (all === 0) return 0;
  const days = await options.days();
  const apartMs = Math.min(1000 / LEAST_PER_SECOND, SPREAD_MS / all);
  let taken = 0;
  let due = 0;
  while (taken < all) {
    signal?.throwIfAborted();
    const batch = await schedules.sweep(now, BATCH, (woken) =>
      woken.map((one) => {
        const { wakeAt, isDue } = looked(one, days, now);
        return isDue ? { wakeAt, runAt: now + Math.floor(due++ * apartMs) } : { wakeAt };
      }),
    );
    taken += batch;
    // Somebody else has the rest.
    if (batch < BATCH) break;
  }
  return taken;
}

function looked(
  { timing: stored, ...progress }: WokenSchedule,
  days: readonly TradingDay[],
  now: number,
): Pick<Woken, 'wakeAt'> & { readonly isDue: boolean } {
  const timing = timingSchema.parse(stored);
  const decision = decide(momentsFor(timing, days), progress, now);
  const next = decision.run ? momentsFor(timing, days).after(now, 1)[0] : decision.next;
  return { wakeAt: wakeTime(timing, next, now), isDue: decision.run };
}

/** When a schedule is looked at next: at its next moment, and in good time to hear of a change of the market's hours. */
export function wakeTime(timing: Timing, next: number | undefined, now: number): number | null {
  if ('cron' in timing) return next ?? null;
  return next === undefined ? now + NO_MARKET_LOOK_MS : Math.min(next, now + MARKET_LOOK_MS);
}

const kept = new Map<string, Moments>();

function momentsFor(timing: Timing, days: readonly TradingDay[]): Moments {
  if (!('cron' in timing)) return timingMoments(timing, days);
  const known = kept.get(timing.cron);
  if (known !== undefined) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const moments = timingMoments(timing, days);
  kept.set(timing.cron, moments);
  return moments;
}
