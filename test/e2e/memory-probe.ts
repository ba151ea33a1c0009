import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What a process has in use after a garbage collection, MiB. */
export interface Memory {
  /** On V8's heap but for compiled code, and in buffers outside it. */
  readonly heap: number;
  readonly resident: number;
}

export interface MemoryProbe {
  /** For the processes that are to be asked; added to what they preload otherwise. */
  env(other?: NodeJS.ProcessEnv): NodeJS.ProcessEnv;
  /** Has a process collect its garbage, and say what is in use then. */
  of(pid: number): Promise<Memory>;
}

const LIMIT_MS = 20_000;
const MIB = 2 ** 20;

/** @param folder where the processes write; MEMORY_SNAPSHOTS=FOLDER keeps a heap snapshot of each look */
export function memoryProbe(folder: string): MemoryProbe {
  // V8 widens its room for new objects in steps as it sees fit, up to a limit, and gives none of it back: held at its
  // smallest, what a process has of the machine's memory grows only with what it keeps.
  const options = `--max-semi-space-size=1 --import ${new URL('memory-probe.mjs', import.meta.url).href}`;
  return {
    env: (other = {}) => ({
      ...other,
      NODE_OPTIONS: [other.NODE_OPTIONS, options].filter((option) => option !== undefined).join(' '),
      MEMORY_PROBE: folder,
      MEMORY_SNAPSHOTS: process.env.MEMORY_SNAPSHOTS,
    }),
    async of(pid) {
      const file = join(folder, `${pid}.json`);
      rmSync(file, { force: true });
      process.kill(pid, 'SIGUSR2');
      const deadline = Date.now() + LIMIT_MS;
      while (!existsSync(file)) {
        if (Date.now() > deadline) throw new Error(`process ${pid} does not say what it has in use`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const { heap, resident } = JSON.parse(readFileSync(file, 'utf8')) as Memory;
      return { heap: heap / MIB, resident: resident / MIB };
    },
  };
}
