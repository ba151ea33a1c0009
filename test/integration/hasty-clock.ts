import { type Clock, systemClock } from '../../src/machine/clock.ts';

/** Time that goes four times as fast from now on: one for all who must agree on what time it is. */
export function hastyClock(): Clock {
  const began = Date.now();
  return {
    now: () => began + (Date.now() - began) * 4,
    monotonic: () => began + (Date.now() - began) * 4,
    sleep: (ms, signal) => systemClock.sleep(ms / 4, signal),
  };
}

/** The time as it is, and a fifth of each pause of a second or more: for one who looks, or tries again, among others. */
export const impatientClock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms < 1_000 ? ms : ms / 5, signal),
};
