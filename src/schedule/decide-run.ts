import type { Moments } from './moments.ts';

/** A schedule's progress, milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All moments up to here are handled. */
  readonly handled: number;
  /** A moment whose run began and did not end, and the number of its attempts. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

export type RunDecision =
  | { readonly run: false; readonly next: number | undefined; readonly handled: number }
  | {
      readonly run: true;
      readonly due: number;
      /** Number of earlier moments that were not run; {@link MAX_MISSED_MOMENTS} means that many or more. */
      readonly missed: number;
      /** 1 for the first. */
      readonly attempt: number;
      /** The progress before the run. */
      readonly handled: number;
    };

/** Maximum number of missed moments that are counted. */
export const MAX_MISSED_MOMENTS = 100;

/** Maximum number of attempts for one moment. With a wake-up every 15 minutes, they take more than an hour. */
export const MAX_ATTEMPTS = 5;

/** Clock corrections are smaller. A larger difference means that the clock was wrong at the last run. Milliseconds. */
const CLOCK_SLACK_MS = 120_000;

/**
 * Decides whether a run is due. Several missed moments (the machine slept, or was off) make one run, for the latest. If the
 * clock was ahead and was corrected, `handled` would be in the future and silence the schedule, so it continues from now.
 */
export function decideRun(moments: Moments, progress: ScheduleProgress, now: number): RunDecision {
  const handled = progress.handled > now + CLOCK_SLACK_MS ? now : progress.handled;
  const open = openMoments(moments, handled, now);
  const [due] = open;
  if (due === undefined) return { run: false, next: moments.after(now, 1)[0], handled };
  const attempt = progress.pending?.due === due ? progress.pending.attempts + 1 : 1;
  if (attempt > MAX_ATTEMPTS) return { run: false, next: moments.after(now, 1)[0], handled: due };
  return { run: true, due, missed: open.length - 1, attempt, handled };
}

/** Looks for two first: usually at most one is open, and each lookup takes time. */
function openMoments(moments: Moments, handled: number, now: number): number[] {
  const openOf = (most: number) => moments.upTo(now, most).filter((moment) => moment > handled);
  const latest = openOf(2);
  return latest.length < 2 ? latest : openOf(MAX_MISSED_MOMENTS + 1);
}
