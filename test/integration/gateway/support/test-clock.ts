import type { Clock } from '../../../../src/machine/clock.ts';

/** Real time plus whatever a test adds. A sleep takes no time but moves the clock, and is remembered. */
export interface TestClock extends Clock {
  advance(ms: number): void;
  readonly slept: number[];
}

export function testClock(): TestClock {
  let offset = 0;
  const slept: number[] = [];
  return {
    now: () => Date.now() + offset,
    monotonic: () => Date.now() + offset,
    sleep: async (ms) => {
      slept.push(ms);
      offset += ms;
    },
    advance: (ms) => {
      offset += ms;
    },
    slept,
  };
}
