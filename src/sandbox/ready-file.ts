import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

/** Where a running sandbox is: written once it serves, read by every command that uses it. */
const sandboxReadySchema = z.object({
  issuer: z.url(),
  gateway: z.url(),
  broker: z.url(),
  /** The phone page. */
  phone: z.url(),
  /** Its people's company, where it has one: its identity provider, and the client that it knows. */
  company: z.object({ issuer: z.url(), client_id: z.string() }).optional(),
  /** The sandbox's own folder: its state, and the phone's pairing secret. */
  home: z.string(),
  pid: z.number().int().positive(),
});
export type SandboxReady = z.output<typeof sandboxReadySchema>;

/** The ready file a sandbox always writes, in its own folder. */
export function defaultReadyFile(sandboxHome: string): string {
  return join(sandboxHome, 'ready.json');
}

/** Writes the file whole or not at all: a reader never sees half of it. */
export function writeReadyFile(file: string, ready: SandboxReady): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(ready)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/** Writes the file. @returns what takes it away again, unless another sandbox has written there since */
export function announce(file: string, ready: SandboxReady): () => void {
  writeReadyFile(file, ready);
  return () => {
    if (readReadyFile(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

/** The file's content, or `undefined` where there is no such file or it isn't a ready file. */
export function readReadyFile(file: string): SandboxReady | undefined {
  try {
    return sandboxReadySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
