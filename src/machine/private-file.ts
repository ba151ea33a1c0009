import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { ensurePrivateFolder } from './directories.ts';

export function readFileIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes a file that only its owner can read (0600), atomically: readers never see a partly written file, even after a
 * crash. Creates the folder (0700) if needed.
 */
export function writePrivateFile(file: string, content: string): void {
  writeAtomically(file, content, renameSync);
}

/** Like {@link writePrivateFile}, but with the given mode, for a file that belongs to another program. */
export function writeFileAtomically(file: string, content: string, mode: number): void {
  writeAtomically(file, content, renameSync, mode);
}

/** Creates a file like {@link writePrivateFile}. @returns false if the file already exists; it then stays unchanged */
export function createPrivateFile(file: string, content: string | Uint8Array): boolean {
  try {
    writeAtomically(file, content, (temporary) => {
      linkSync(temporary, file);
      rmSync(temporary);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function writeAtomically(
  file: string,
  content: string | Uint8Array,
  place: (temporary: string, file: string) => void,
  mode = 0o600,
): void {
  ensurePrivateFolder(dirname(file));
  const temporary = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    // `wx`: never follow a symbolic link that someone created under that name.
    const handle = openSync(temporary, 'wx', 0o600);
    try {
      // `writeSync` would not be safe: on a nearly full disk, it writes only the beginning, and only its return value
      // shows this.
      writeFileSync(handle, content);
      if (mode !== 0o600) fchmodSync(handle, mode);
      // Without this, a power cut after the rename could leave an empty file.
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    place(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  fsyncFolder(dirname(file));
}

/**
 * Flushes a folder's directory entries to disk. Otherwise, a power failure can bring back the previous version of a
 * file, such as one with a refresh token that has been used since.
 */
function fsyncFolder(folder: string): void {
  // Windows can't open folders, and its file system's journal already preserves the order of changes to names.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(handle);
  } catch {
    // Some network file systems can't fsync a folder. The file itself is complete.
  } finally {
    closeSync(handle);
  }
}

/**
 * Reads a file that only its owner may read. Rejects symbolic links, other users' files, files that others may open,
 * and anything that is not a regular file, because someone else could have read or written the content. If the file
 * does not exist, reads the credential of the same name that systemd passed to this service (`LoadCredential=`).
 * @param longest maximum size in bytes
 * @param unusable creates the error from a description of the problem, such as "it is a symbolic link"
 * @returns undefined if neither exists
 */
export function readPrivateFile(...[file, longest, unusable]: Parameters<FileReader>): string | undefined {
  const { CREDENTIALS_DIRECTORY: folder } = process.env;
  const read = (path: string) => readExclusiveFile(path, longest, unusable);
  return read(file) ?? (folder ? read(join(folder, basename(file))) : undefined);
}

const readExclusiveFile = createFileReader(findExposureRisk);

/** The parent of all services' credentials folders. Only root can create files there. */
const CREDENTIALS_FOLDER = '/run/credentials/';

/**
 * Returns why another user could have read or written the file, or undefined if nobody could. Root may own a file in
 * systemd's credentials folder: an access control list then lets the service's user read the file, whose mode is 0440.
 */
export function findExposureRisk({ uid, mode }: Pick<Stats, 'uid' | 'mode'>, file: string): string | undefined {
  if (uid === process.getuid?.() && (mode & 0o077) === 0) return undefined;
  if (uid === 0 && (mode & 0o037) === 0 && resolve(file).startsWith(CREDENTIALS_FOLDER)) return undefined;
  return 'another user owns it, or other users can read it; fix that with "chmod 600"';
}

/**
 * Like {@link readPrivateFile}, but for a file that anyone may read. The user or root must own the file, and only the
 * owner may write to it.
 */
export const readTrustedFile = createFileReader(findForgeryRisk);

/** Returns why someone else could have written the file or the folder's content, or undefined if nobody could. */
export function findForgeryRisk({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): string | undefined {
  const ours = uid === 0 || uid === process.getuid?.();
  return ours && (mode & 0o022) === 0
    ? undefined
    : 'another user owns it, or other users can write to it; fix that with "chmod go-w"';
}

type FileReader = (file: string, longest: number, unusable: (why: string) => Error) => string | undefined;

function createFileReader(fault: (stat: Stats, file: string) => string | undefined): FileReader {
  return (file, longest, unusable) => {
    const handle = openWithoutLinks(file, unusable);
    if (handle === undefined) return undefined;
    try {
      const stat = fstatSync(handle);
      if (!stat.isFile()) throw unusable('it is not a regular file');
      const why = process.platform === 'win32' ? undefined : fault(stat, file);
      if (why !== undefined) throw unusable(why);
      if (stat.size > longest) throw unusable('it is too long');
      return readFileSync(handle, 'utf8');
    } finally {
      closeSync(handle);
    }
  };
}

/** Opens a file, unless it is a symbolic link. Returns undefined if it does not exist. */
function openWithoutLinks(file: string, unusable: (why: string) => Error): number | undefined {
  try {
    // O_NONBLOCK: don't wait for the writer of a pipe.
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw unusable(code === 'ELOOP' ? 'it is a symbolic link' : `it can't be read (${code})`);
  }
}

/** How long the writer of a pipe may take to close the pipe, in milliseconds. */
const DESCRIPTOR_WAIT_MS = 10_000;

/**
 * Reads an open descriptor to its end without blocking the process, because the writer of a pipe may be slow or never
 * close it.
 * @param longest maximum size in bytes
 * @param unusable creates the error from a description of the problem, such as "it is too long"
 * @throws the reason of `signal` when it aborts
 */
export async function readDescriptor(
  number: number,
  longest: number,
  unusable: (why: string) => Error,
  signal?: AbortSignal,
): Promise<string> {
  let stat: Stats;
  try {
    stat = fstatSync(number);
  } catch (error) {
    throw unusable(`it can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  if (stat.isFile()) {
    if (stat.size > longest) throw unusable('it is too long');
    return readFileSync(number, 'utf8');
  }
  if (!stat.isFIFO() && !stat.isSocket()) throw unusable('it is neither a file nor a pipe');
  const late = AbortSignal.timeout(DESCRIPTOR_WAIT_MS);
  const until = signal === undefined ? late : AbortSignal.any([signal, late]);
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    const pipe = new Socket({ fd: number, readable: true, writable: false, signal: until });
    for await (const chunk of pipe as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > longest) break;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw unusable(
      late.aborted
        ? `the writer did not close it within ${DESCRIPTOR_WAIT_MS / 1000} seconds`
        : `it can't be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  if (length > longest) throw unusable('it is too long');
  return Buffer.concat(chunks).toString('utf8');
}
