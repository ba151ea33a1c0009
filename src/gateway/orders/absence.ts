import type { Clock } from '../../machine/clock.ts';

/** How long the broker must go on answering that it does not have an order: far longer than its reads lag behind its writes. */
export const ABSENCE_MS = 5 * 60_000;
/** Two misses further apart say nothing about the time between them: the process may have been stopped. */
const MOST_APART_MS = 90_000;
/** A larger jump between the wall clock and the monotonic clock means that the machine slept, or that a clock was set. */
export const MOST_DRIFT_MS = 2_000;
/** Orders that are measured at once; the one that was missed longest ago makes room for another. */
const MOST_MEASURED = 10_000;

/** The misses of one order, by the monotonic clock of this process. */
interface Misses {
  /** How often the order was sent, and when last: another submission starts the measurement again. */
  readonly of: string;
  readonly first: number;
  readonly last: number;
  /** Wall clock minus monotonic clock at the first miss. */
  readonly drift: number;
}

/** How long the broker has been answering that it does not have an order, in time that this process was awake. */
export type Absence = ReturnType<typeof createAbsence>;

/**
 * Measures absence in awake time: the monotonic time from the first miss to the last, as long as no two are more than 90 s apart
 * and the wall clock and the monotonic clock go on together. A restart measures from the beginning, and so does every sleep of
 * the machine and every clock that is set, since the timers of a request and the kernel's retransmissions stand still with the
 * machine, and a wall clock does not.
 */
export function createAbsence(clock: Pick<Clock, 'now' | 'monotonic'>) {
  const measured = new Map<string, Misses>();
  return {
    /**
     * The broker answered that it does not have the order.
     * @param order its key
     * @param of what identifies its last submission
     * @returns whether the misses span {@link ABSENCE_MS} of awake time
     */
    missed(order: string, of: string): boolean {
      const now = clock.monotonic();
      const drift = clock.now() - now;
      const known = measured.get(order);
      const goesOn =
        known !== undefined &&
        known.of === of &&
        now - known.last <= MOST_APART_MS &&
        Math.abs(drift - known.drift) <= MOST_DRIFT_MS;
      const misses = goesOn ? { ...known, last: now } : { of, first: now, last: now, drift };
      // Set again, it is the last to make room.
      measured.delete(order);
      measured.set(order, misses);
      if (measured.size > MOST_MEASURED) measured.delete(measured.keys().next().value ?? '');
      return misses.last - misses.first >= ABSENCE_MS;
    },
    /** The broker did not answer, or it has the order: whatever was measured ends. */
    forget: (order: string): void => void measured.delete(order),
  };
}
