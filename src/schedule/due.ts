import type { Moments } from './moments.ts';

/** What a schedule remembers of its moments, milliseconds since the epoch. */
export interface Progress {
  /** All moments up to here are done with. */
  readonly handled: number;
  /** A moment whose run was begun and not brought to an end, and how often. */
  readonly pending: { readonly due: number; readonly attempts: number } | null;
}

export type Decision =
  | { readonly run: false; readonly next: number | undefined; readonly handled: number }
  | {
      readonly run: true;
      readonly due: number;
      /** Moments before it that nobody ran; {@link MOST_MISSED} stands for that many or more. */
      readonly missed: number;
      /** 1 for the first time this moment is tried. */
      readonly attempt: number;
      /** Where progress stands before the run. */
      readonly handled: number;
    };

/** Enough to say "many". */
export const MOST_MISSED = 100;

/** How often a moment is tried before it is given up: with a wake-up each quarter of an hour, a good hour. */
export const MOST_ATTEMPTS = 5;

/** What a time server corrects is less; more means that the clock was wrong when the schedule ran last. */
const CLOCK_SLACK_MS = 120_000;

/**
 * Decides whether a run is due. Several missed moments (the machine slept, or was off) come to one run, for the latest
 * of them. A clock that was ahead and was put right would leave `handled` in the future, and the schedule silent until
 * then: it starts again from now.
 */
export function decide(moments: Moments, progress: Progress, now: number): Decision {
  const handled = progress.handled > now + CLOCK_SLACK_MS ? now : progress.handled;
  const open = openMoments(moments, handled, now);
  const [due] = open;
  if (due === undefined) return { run: false, next: moments.after(now, 1)[0], handled };
  const attempt = progress.pending?.due === due ? progress.pending.attempts + 1 : 1;
  if (attempt > MOST_ATTEMPTS) return { run: false, next: moments.after(now, 1)[0], handled: due };
  return { run: true, due, missed: open.length - 1, attempt, handled };
}

/** Mostly one is open, or none, and each that is asked for takes its time. */
function openMoments(moments: Moments, handled: number, now: number): number[] {
  const openOf = (most: number) => moments.upTo(now, most).filter((moment) => moment > handled);
  const latest = openOf(2);
  return latest.length < 2 ? latest : openOf(MOST_MISSED + 1);
}
