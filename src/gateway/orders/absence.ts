import type { Clock } from '../../machine/clock.ts';

/** How long the broker must keep answering that it has no such order, in milliseconds: far longer than its reads lag. */
export const ABSENCE_MS = 5 * 60_000;
/** Maximum time between two misses. A longer gap proves nothing, because the process may have been stopped. */
const MAX_MISS_INTERVAL_MS = 90_000;
/** Maximum change between wall and monotonic clock. A larger one means that the machine slept or a clock was set. */
export const MAX_CLOCK_DRIFT_MS = 2_000;
/** Maximum number of orders tracked. Beyond it, the order missed longest ago is dropped. */
const MAX_TRACKED_ORDERS = 10_000;

/** Times of misses, by the monotonic clock. */
interface Misses {
  /** Identifies the last submission. A new submission restarts the measurement. */
  readonly of: string;
  readonly first: number;
  readonly last: number;
  /** Wall clock minus monotonic clock at the first miss. */
  readonly drift: number;
}

/** Measures how much awake time this process has seen an order missing. */
export type Absence = ReturnType<typeof createAbsence>;

/**
 * Measures the monotonic time from the first miss to the last, as long as no two are more than 90 s apart and both clocks
 * advance together. A restart, a sleep of the machine or a clock change restarts the measurement, because request timers
 * and the kernel's retransmissions pause with the machine while the wall clock does not.
 */
export function createAbsence(clock: Pick<Clock, 'now' | 'monotonic'>) {
  const measured = new Map<string, Misses>();
  return {
    /**
     * Records that the broker does not have the order. @returns whether the misses span {@link ABSENCE_MS}
     * @param of identifies its last submission
     */
    missed(order: string, of: string): boolean {
      const now = clock.monotonic();
      const drift = clock.now() - now;
      const known = measured.get(order);
      const goesOn =
        known !== undefined &&
        known.of === of &&
        now - known.last <= MAX_MISS_INTERVAL_MS &&
        Math.abs(drift - known.drift) <= MAX_CLOCK_DRIFT_MS;
      const misses = goesOn ? { ...known, last: now } : { of, first: now, last: now, drift };
      // Moves the entry to the end, so that the oldest comes first.
      measured.delete(order);
      measured.set(order, misses);
      if (measured.size > MAX_TRACKED_ORDERS) measured.delete(measured.keys().next().value ?? '');
      return misses.last - misses.first >= ABSENCE_MS;
    },
    /** Restarts the measurement: the broker did not answer, or it has the order. */
    forget: (order: string): void => void measured.delete(order),
  };
}
