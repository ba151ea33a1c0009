import type { RunTimes } from './run-times.ts';

/** The progress of a schedule. Times are in milliseconds since the epoch. */
export interface ScheduleProgress {
  /** All run times up to this one have been handled. */
  readonly handled: number;
  /** The run time whose run began but did not end, and the number of attempts so far. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

export type RunDecision =
  | { readonly run: false; readonly next: number | undefined; readonly handled: number }
  | {
      readonly run: true;
      readonly due: number;
      /** Number of earlier run times that were missed; {@link MAX_MISSED_RUNS} means that many or more. */
      readonly missed: number;
      /** The attempt number, starting at 1. */
      readonly attempt: number;
      /** The schedule's `handled` before the run, corrected if it was in the future. */
      readonly handled: number;
    };

export const MAX_MISSED_RUNS = 100;

/** Maximum number of attempts for one run time. With a wake-up every 15 minutes, they span more than an hour. */
export const MAX_RUN_ATTEMPTS = 5;

/**
 * Normal clock corrections are smaller than this, in milliseconds. If `handled` is further in the future, the clock was
 * wrong during the last run.
 */
const CLOCK_SLACK_MS = 120_000;

/**
 * Decides whether a run is due. If several run times were missed because the machine was asleep or off, one run covers
 * them all. If the clock was ahead and has been corrected, `handled` is in the future and no run would be due until
 * then, so the schedule continues from now.
 */
export function decideRun(runTimes: RunTimes, progress: ScheduleProgress, now: number): RunDecision {
  const handled = progress.handled > now + CLOCK_SLACK_MS ? now : progress.handled;
  const open = openRunTimes(runTimes, handled, now);
  const [due] = open;
  if (due === undefined) return { run: false, next: runTimes.after(now, 1)[0], handled };
  const attempt = progress.pending?.due === due ? progress.pending.attempts + 1 : 1;
  if (attempt > MAX_RUN_ATTEMPTS) return { run: false, next: runTimes.after(now, 1)[0], handled: due };
  return { run: true, due, missed: open.length - 1, attempt, handled };
}

/**
 * Returns the run times that have not been handled. Looks up only two at first, because there is usually at most one, and
 * each lookup takes time.
 */
function openRunTimes(runTimes: RunTimes, handled: number, now: number): number[] {
  const openOf = (most: number) => runTimes.upTo(now, most).filter((runTime) => runTime > handled);
  const latest = openOf(2);
  return latest.length < 2 ? latest : openOf(MAX_MISSED_RUNS + 1);
}
