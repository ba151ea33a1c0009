import type { Clock } from '../src/machine/clock.ts';

/** A clock that goes on by itself, and can be put forward: who sleeps past that wakes. */
export interface MovableClock extends Clock {
  advance(ms: number): void;
}

export function movableClock(real: Clock): MovableClock {
  let ahead = 0;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  const now = () => real.now() + ahead;
  return {
    now,
    monotonic: now,
    async sleep(ms, signal) {
      const woken = new AbortController();
      const sleeper = { until: now() + ms, wake: () => woken.abort() };
      sleepers.add(sleeper);
      try {
        const either = signal === undefined ? woken.signal : AbortSignal.any([signal, woken.signal]);
        await real.sleep(ms, either).catch((error: unknown) => {
          if (signal?.aborted || !woken.signal.aborted) throw error;
        });
      } finally {
        sleepers.delete(sleeper);
      }
    },
    advance(ms) {
      ahead += ms;
      for (const sleeper of [...sleepers]) if (sleeper.until <= now()) sleeper.wake();
    },
  };
}
