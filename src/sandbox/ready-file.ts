import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const sandboxReadySchema = z.object({
  issuer: z.url(),
  gateway: z.url(),
  broker: z.url(),
  phone: z.url(),
  company: z.object({ issuer: z.url(), client_id: z.string() }).optional(),
  home: z.string(),
  pid: z.number().int().positive(),
});
export type SandboxReadyInfo = z.output<typeof sandboxReadySchema>;

export function defaultReadyFile(sandboxHome: string): string {
  return join(sandboxHome, 'ready.json');
}

export function writeReadyFile(file: string, ready: SandboxReadyInfo): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(ready)}\n`, { mode: 0o600 });
  renameSync(temporary, file);
}

/** Writes the ready file. @returns a function that removes the file unless another sandbox has overwritten it */
export function publishReadyFile(file: string, ready: SandboxReadyInfo): () => void {
  writeReadyFile(file, ready);
  return () => {
    if (readReadyFile(file)?.pid === process.pid) rmSync(file, { force: true });
  };
}

export function readReadyFile(file: string): SandboxReadyInfo | undefined {
  try {
    return sandboxReadySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
