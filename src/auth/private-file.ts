import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { ensurePrivateFolder } from './home.ts';

/**
 * Writes a file only its owner can read (0600), whole or not at all: a reader, or a crash, never sees half of it.
 * The folder is made (0700) where it is missing.
 */
export function writePrivateFile(file: string, content: string): void {
  writeWhole(file, content, renameSync);
}

/**
 * As {@link writePrivateFile}, for a file that must not be there yet.
 * @returns false where it is there already: it is left as it is
 */
export function createPrivateFile(file: string, content: string): boolean {
  try {
    writeWhole(file, content, (temporary) => {
      linkSync(temporary, file);
      rmSync(temporary);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function writeWhole(file: string, content: string, place: (temporary: string, file: string) => void): void {
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
    place(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Reads a file that only its owner may read: a symbolic link, another user's file, one that others may open, or
 * anything but a plain file is refused, since whoever made it could read or choose what is in it.
 * @param longest in bytes
 * @param unusable makes the error from what is wrong, as in "it is a symbolic link"
 * @returns `undefined` where there is none
 */
export function readPrivateFile(
  file: string,
  longest: number,
  unusable: (why: string) => Error,
): string | undefined {
  let handle: number;
  try {
    // Not waiting for a writer, should it be a pipe.
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw unusable(code === 'ELOOP' ? 'it is a symbolic link' : `it can't be read (${code})`);
  }
  try {
    const stat = fstatSync(handle);
    if (!stat.isFile()) throw unusable('it is not a plain file');
    if (process.platform !== 'win32' && (stat.uid !== process.getuid?.() || (stat.mode & 0o077) !== 0)) {
      throw unusable('others may read or own it; "chmod 600" it');
    }
    if (stat.size > longest) throw unusable('it is too long');
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}
