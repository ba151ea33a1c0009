import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';

/**
 * Whether a database is, to its file's times, as this program closed it, and no process wrote to it and died since: it
 * need not be read through, which for a few megabytes takes longer than all else at a start.
 */
export function isAsClosed(file: string): boolean {
  try {
    return !existsSync(`${file}-wal`) && readFileSync(noteOf(file), 'latin1') === identityOf(file);
  } catch {
    return false;
  }
}

/** Notes how the file is left. Where that can't be written, it is read through the next time. */
export function noteClosed(file: string): void {
  try {
    writeFileSync(noteOf(file), identityOf(file), { mode: 0o600 });
  } catch {}
}

const noteOf = (file: string) => `${file}.closed`;

/** Changes with the file's content, also where it is put back from a copy: nobody can set a `ctime`. */
function identityOf(file: string): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}
