import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ensurePrivateFolder } from './home.ts';

/**
 * Writes a file only its owner can read (0600), whole or not at all: a reader, or a crash, never sees half of it.
 * The folder is made (0700) where it is missing.
 */
export function writePrivateFile(file: string, content: string): void {
  ensurePrivateFolder(dirname(file));
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    // `wx`: never follow a link somebody left under that name.
    const handle = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(handle, content);
      // Without it a power cut after the rename can leave an empty file.
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
