import { type CrashWorld, createCrashWorld } from './crash-world.ts';

/** Worlds that play one case at a time each. Made when first needed. */
export interface Lanes {
  play<T>(work: (world: CrashWorld) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function createLanes(count: number): Lanes {
  const worlds: CrashWorld[] = [];
  const idle: CrashWorld[] = [];
  const waiting: ((world: CrashWorld) => void)[] = [];
  let made = 0;

  const take = async (): Promise<CrashWorld> => {
    const free = idle.pop();
    if (free !== undefined) return free;
    if (made >= count) return new Promise((resolve) => waiting.push(resolve));
    made++;
    const world = await createCrashWorld();
    worlds.push(world);
    return world;
  };
  const give = (world: CrashWorld): void => {
    const next = waiting.shift();
    if (next === undefined) idle.push(world);
    else next(world);
  };

  return {
    async play(work) {
      const world = await take();
      try {
        return await work(world);
      } finally {
        // A case that failed half-way may have left the sandbox dead or armed; the next one starts from a live one.
        await revive(world);
        give(world);
      }
    },
    close: async () => {
      await Promise.all(worlds.map((world) => world.close()));
    },
  };
}

async function revive(world: CrashWorld): Promise<void> {
  world.arm('');
  const dead = await Promise.race([world.sandboxEnded(), Promise.resolve()]);
  if (dead !== undefined) await world.restartSandbox();
}
