import { readFileSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { writePrivateFile } from '../../machine/private-file.ts';

/** Where a home is served: written once it answers. */
const readySchema = z.object({
  address: z.string(),
  /** Where it listens on this machine, without a proxy in front of it. */
  url: z.string(),
  environment: z.enum(['paper', 'live']),
  home: z.string(),
  pid: z.int().positive(),
});
export type HomeReady = z.output<typeof readySchema>;

/** What a home that runs has written; undefined where none does. */
export function readHomeReady(file: string): HomeReady | undefined {
  let ready: HomeReady;
  try {
    ready = readySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
  // One that was killed hard leaves its own behind.
  return runs(ready.pid) ? ready : undefined;
}

/** Writes the file. @returns what takes it away again, unless another one has written there since */
export function announceHome(file: string, ready: HomeReady): () => void {
  writePrivateFile(file, `${JSON.stringify(ready)}\n`);
  return () => {
    if (readHomeReady(file)?.pid === ready.pid) rmSync(file, { force: true });
  };
}

function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
