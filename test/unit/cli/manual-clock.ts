import type { Clock } from '../../../src/machine/clock.ts';

/** A clock that moves only when told to, and can be asked whether somebody waits on it. */
export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Resolves once somebody sleeps for just `ms` milliseconds. */
  slept(ms: number): Promise<void>;
}

export function manualClock(start = 0): ManualClock {
  let now = start;
  const sleepers = new Set<{ readonly ms: number; readonly until: number; readonly wake: () => void }>();
  const watchers = new Set<() => void>();
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const sleeper = { ms, until: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
        for (const check of watchers) check();
      }),
    advance: (ms) => {
      now += ms;
      for (const sleeper of sleepers) {
        if (sleeper.until > now) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
    },
    slept: (ms) =>
      new Promise((resolve) => {
        const check = () => {
          if ([...sleepers].some((sleeper) => sleeper.ms === ms)) resolve();
        };
        watchers.add(check);
        check();
      }),
  };
}
