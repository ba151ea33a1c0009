import type { Clock } from '../../machine/clock.ts';

/** How long a broker must report an order as missing before it is written off, in ms. Brokers' reads lag far less. */
export const REQUIRED_ABSENCE_MS = 5 * 60_000;
/** Maximum time between two misses. A longer gap restarts the measurement: the process may have been stopped. */
const MAX_MISS_INTERVAL_MS = 90_000;
/** Maximum drift between wall clock and monotonic clock. If it is larger, the machine slept or a clock was set. */
export const MAX_CLOCK_DRIFT_MS = 2_000;
/** Maximum number of tracked orders. If there are more, the least recently checked order is dropped. */
const MAX_TRACKED_ORDERS = 10_000;

/** Times at which the broker reported an order as missing, by the monotonic clock. */
interface Misses {
  /** Identifies the order's last submission. A new submission restarts the measurement. */
  readonly of: string;
  readonly first: number;
  readonly last: number;
  /** Wall clock minus monotonic clock at the first miss. */
  readonly drift: number;
}

/** Measures how long the broker has reported each order as missing while this process was running and awake. */
export type AbsenceTracker = ReturnType<typeof createAbsenceTracker>;

/**
 * Measures the monotonic time from an order's first miss to its last, as long as successive misses are at most 90 s
 * apart and both clocks advance together. A restart, a sleep of the machine or a clock change restarts the measurement.
 * A sleep must not count, because request timers and the kernel's retransmissions stop while the machine sleeps, but
 * the wall clock does not.
 */
export function createAbsenceTracker(clock: Pick<Clock, 'now' | 'monotonic'>) {
  const measured = new Map<string, Misses>();
  return {
    /**
     * Records that the broker does not have the order.
     * @param of identifies the order's last submission
     * @returns whether the order has been missing for {@link REQUIRED_ABSENCE_MS}
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
      // Moves the order to the end of the map, so that the first entry is the least recently checked order.
      measured.delete(order);
      measured.set(order, misses);
      if (measured.size > MAX_TRACKED_ORDERS) measured.delete(measured.keys().next().value ?? '');
      return misses.last - misses.first >= REQUIRED_ABSENCE_MS;
    },
    /** Restarts the measurement, because the broker did not respond or has the order. */
    forget: (order: string): void => void measured.delete(order),
  };
}
