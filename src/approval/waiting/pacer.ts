import type { Clock } from '../../machine/clock.ts';

/** Spreads out what many would do at once: turns that are so many milliseconds apart, in the order of asking. */
export interface Pacer {
  /** Takes the next turn. @returns milliseconds until then; 0 where it is at once */
  take(): number;
}

export function createPacer(clock: Pick<Clock, 'now'>, apartMs: number): Pacer {
  let asked = Number.NEGATIVE_INFINITY;
  let next = Number.NEGATIVE_INFINITY;
  return {
    take() {
      const now = clock.now();
      // A clock that was set back: the turns given out by it would now be far away.
      const at = now < asked ? now : Math.max(now, next);
      asked = now;
      next = at + apartMs;
      return at - now;
    },
  };
}
