import type { Clock } from '../../src/machine/clock.ts';

/**
 * What becomes of a sleep while the machine is suspended. `overslept`: an alarm that falls into it rings right afterwards.
 * `elsewhere`: it rings in time, since it is not of this machine. `frozen`: only time awake counts, as for CLOCK_MONOTONIC.
 */
type Suspended = 'overslept' | 'elsewhere' | 'frozen';

interface Sleeper {
  at: number;
  readonly order: number;
  readonly suspended: Suspended;
  readonly wake: () => void;
}

/** Time that only a history moves: nobody wakes before it says so, and then in the order of their alarms. */
export class SimClock implements Clock {
  #now: number;
  /** How long it was asleep altogether. */
  #asleep = 0;
  #asked = 0;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#asleep;
  }

  /** How many sleeps were begun: tells whether anything happened. */
  get asked(): number {
    return this.#asked;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.sleepAs('overslept', ms, signal);
  }

  sleepAs(suspended: Suspended, ms: number, signal?: AbortSignal): Promise<void> {
    this.#asked += 1;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        at: this.#now + ms,
        order: this.#asked,
        suspended,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** When the next sleeper wakes, milliseconds since the epoch. */
  nextAlarm(): number | undefined {
    return this.#next()?.at;
  }

  /** Goes on to `time`, or to the next alarm if that is earlier, and wakes that one sleeper. */
  step(time: number): void {
    const next = this.#next();
    if (next === undefined || next.at > time) {
      this.#now = Math.max(this.#now, time);
      return;
    }
    this.#now = Math.max(this.#now, next.at);
    next.wake();
  }

  /** Suspends the machine for so long: whoever should have woken meanwhile wakes late. */
  leap(ms: number): void {
    this.#now += ms;
    this.#asleep += ms;
    for (const sleeper of this.#sleepers) if (sleeper.suspended === 'frozen') sleeper.at += ms;
  }

  /** Within a suspend until `time`: goes on to the next alarm elsewhere, and wakes that sleeper. False if there is none. */
  leapToNext(time: number): boolean {
    const next = this.#next('elsewhere');
    if (next === undefined || next.at > time) return false;
    this.leap(Math.max(0, next.at - this.#now));
    next.wake();
    return true;
  }

  #next(suspended?: Suspended): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (suspended !== undefined && sleeper.suspended !== suspended) continue;
      if (first === undefined || sleeper.at < first.at || (sleeper.at === first.at && sleeper.order < first.order))
        first = sleeper;
    }
    return first;
  }
}

/** The agent's machine keeps the world's time but for an error that a history may change. */
export interface MachineClock extends Clock {
  /** Milliseconds it is ahead. */
  skew: number;
}

export function machineClock(world: Clock): MachineClock {
  const clock: MachineClock = {
    skew: 0,
    now: () => world.now() + clock.skew,
    monotonic: () => world.monotonic(),
    sleep: (ms, signal) => world.sleep(ms, signal),
  };
  return clock;
}
