import { appendFileSync, chmodSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../../machine/clock.ts';

/** A file this long is rotated; this many older ones are kept. Together they stay below 4 MiB. */
const MAX_BYTES = 1024 * 1024;
const KEPT = 3;

/**
 * What the program did, for finding out why it failed: no prompts, no answers, no credentials. One JSON object a line in
 * `file` (0600). Never throws: a log that can't be written is no reason to fail.
 */
export function createLogFile(file: string, clock: Clock) {
  let ready = false;
  return {
    write(event: string, facts: Readonly<Record<string, unknown>> = {}) {
      try {
        if (!ready) {
          mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
          rotate(file);
        }
        const line = JSON.stringify({
          at: new Date(clock.now()).toISOString(),
          pid: process.pid,
          event,
          ...facts,
        });
        // One write in append mode: lines of several processes never mix.
        appendFileSync(file, `${redact(line)}\n`, { mode: 0o600 });
        if (!ready) chmodSync(file, 0o600);
        ready = true;
      } catch {
        // A full or read-only disk.
      }
    },
  };
}

function rotate(file: string): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size < MAX_BYTES) return;
  for (let n = KEPT - 1; n >= 1; n--) {
    if (statSync(`${file}.${n}`, { throwIfNoEntry: false })) renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  }
  renameSync(file, `${file}.1`);
}

/**
 * Removes whatever could be a credential: JWTs, and anything that long without a break. Ids (at most 36 characters) and
 * words stay.
 */
export function redact(text: string): string {
  return text
    .replace(/\bey[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*\.?[A-Za-z0-9_-]*/g, '[redacted]')
    .replace(/\bsk-[A-Za-z0-9_-]{8,}/g, '[redacted]')
    .replace(/[A-Za-z0-9_~+=-]{40,}/g, '[redacted]');
}
