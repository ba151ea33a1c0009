import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A temporary folder, in memory where the system has such a place. Every commit waits for the disk, and how long a
 * disk takes is neither what a history is about nor what tells how the program's own work grows.
 */
export function memoryFolder(prefix: string): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), prefix));
}
