import type { Clock } from '../src/machine/clock.ts';

/** A clock that jumps to the next sleeper's time whenever everything waits: hours pass in no time, in order. */
export class VirtualClock implements Clock {
  #now = Date.parse('2026-11-24T15:00:00Z');
  readonly #sleepers = new Set<{ at: number; wake: () => void }>();
  /** Every sleep asked for, milliseconds. */
  readonly slept: number[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.slept.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      const onAbort = () => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  /** Runs time forward until `work` is done. */
  async run<T>(work: Promise<T>): Promise<T> {
    let done = false;
    const watched = work.finally(() => {
      done = true;
    });
    watched.catch(() => undefined);
    for (let step = 0; !done; step++) {
      if (step > 100_000) throw new Error('time runs on without an end');
      await new Promise((resolve) => setImmediate(resolve));
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (done || next === undefined) continue;
      this.#now = Math.max(this.#now, next.at);
      next.wake();
    }
    return watched;
  }
}
