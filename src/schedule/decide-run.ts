import type { Moments } from './moments.ts';

/** The progress of a schedule. Times are in milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All moments up to this one have been handled. */
  readonly handled: number;
  /** The moment whose run began but did not end, and the number of attempts so far. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

export type RunDecision =
  | { readonly run: false; readonly next: number | undefined; readonly handled: number }
  | {
      readonly run: true;
      readonly due: number;
      /** Number of earlier moments that were not run; {@link MAX_MISSED_MOMENTS} means that many or more. */
      readonly missed: number;
      /** The attempt number, starting at 1. */
      readonly attempt: number;
      /** The schedule's `handled` before the run, corrected if it was in the future. */
      readonly handled: number;
    };

export const MAX_MISSED_MOMENTS = 100;

/** Attempts for one moment. With one wake-up every 15 minutes, they are spread over more than an hour. */
export const MAX_RUN_ATTEMPTS = 5;

/**
 * Normal clock corrections are smaller than this, in milliseconds. If `handled` is further in the future, the clock was
 * wrong during the last run.
 */
const CLOCK_SLACK_MS = 120_000;

/**
 * Decides whether a run is due. If several moments were missed because the machine was asleep or off, one run covers
 * them all. If the clock was ahead and has been corrected, `handled` is in the future and no run would be due until
 * then, so the schedule continues from now.
 */
export function decideRun(moments: Moments, progress: ScheduleProgress, now: number): RunDecision {
  const handled = progress.handled > now + CLOCK_SLACK_MS ? now : progress.handled;
  const open = openMoments(moments, handled, now);
  const [due] = open;
  if (due === undefined) return { run: false, next: moments.after(now, 1)[0], handled };
  const attempt = progress.pending?.due === due ? progress.pending.attempts + 1 : 1;
  if (attempt > MAX_RUN_ATTEMPTS) return { run: false, next: moments.after(now, 1)[0], handled: due };
  return { run: true, due, missed: open.length - 1, attempt, handled };
}

/**
 * Returns the moments that have not been handled. Looks up only two at first, because there is usually at most one, and
 * each lookup takes time.
 */
function openMoments(moments: Moments, handled: number, now: number): number[] {
  const openOf = (most: number) => moments.upTo(now, most).filter((moment) => moment > handled);
  const latest = openOf(2);
  return latest.length < 2 ? latest : openOf(MAX_MISSED_MOMENTS + 1);
}
