import { type CrashWorld, createCrashWorld } from './crash-world.ts';
import { TooLate } from './patience.ts';

/** A person may be asked so many times an hour by one client; each case proposes two orders at most. */
const CASES_A_WORLD = 25;

/** How often a case is begun where the machine is too busy for its order to be proposed at all. */
const ATTEMPTS = 5;

export type Lanes = ReturnType<typeof createLanes>;

export function createLanes(count: number, casesAWorld = CASES_A_WORLD) {
  interface Lane {
    world: CrashWorld;
    cases: number;
  }
  const lanes: Lane[] = [];
  const idle: Lane[] = [];
  const waiting: (() => void)[] = [];
  let made = 0;
  let begunAnew = 0;

  const take = async (): Promise<Lane> => {
    for (;;) {
      const free = idle.pop();
      if (free !== undefined) return free;
      if (made < count) return await make();
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const make = async (): Promise<Lane> => {
    made++;
    try {
      const lane = { world: await createCrashWorld(), cases: 0 };
      lanes.push(lane);
      return lane;
    } catch (error) {
      made--;
      waiting.shift()?.();
      throw error;
    }
  };
  const give = (lane: Lane): void => {
    idle.push(lane);
    waiting.shift()?.();
  };

  const playOnce = async <T>(work: (world: CrashWorld) => Promise<T>): Promise<T> => {
    const lane = await take();
    try {
      if (++lane.cases > casesAWorld) {
        await lane.world.close();
        lane.world = await createCrashWorld();
        lane.cases = 1;
      }
      return await work(lane.world);
    } finally {
      // A case that failed half-way may have left the sandbox dead or armed; the next one starts from a live one, or again.
      await revive(lane.world).catch(() => {
        lane.cases = casesAWorld;
      });
      give(lane);
    }
  };

  return {
    get begunAnew() {
      return begunAnew;
    },
    /** If it was {@link TooLate}, it is repeated. */
    async play<T>(work: (world: CrashWorld) => Promise<T>): Promise<T> {
      for (let attempt = 1; ; attempt++) {
        try {
          return await playOnce(work);
        } catch (error) {
          if (!(error instanceof TooLate) || attempt === ATTEMPTS) throw error;
          begunAnew++;
        }
      }
    },
    close: async () => {
      await Promise.all(lanes.map(({ world }) => world.close()));
    },
  };
}

async function revive(world: CrashWorld): Promise<void> {
  world.arm('');
  const dead = await Promise.race([world.sandboxEnded(), Promise.resolve()]);
  if (dead !== undefined) await world.restartSandbox();
}
