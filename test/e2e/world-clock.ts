import { renameSync, writeFileSync } from 'node:fs';

/** The time of day of a test's world, which the test sets; world-clock.mjs has every process go by it. */
export interface WorldClock {
  readonly env: NodeJS.ProcessEnv;
  /** From now on it is this instant (milliseconds since the epoch), and goes on `rate` times as fast as real time. */
  set(world: number, rate?: number): void;
}

export function worldClock(file: string): WorldClock {
  return {
    env: {
      WORLD_CLOCK: file,
      NODE_OPTIONS: `--import ${new URL('world-clock.mjs', import.meta.url).href}`,
    },
    set(world, rate = 1) {
      // By a rename: no process may ever read half of it.
      writeFileSync(`${file}.new`, JSON.stringify({ world, real: Date.now(), rate }));
      renameSync(`${file}.new`, file);
    },
  };
}
