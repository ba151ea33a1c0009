import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** The last part of the record's file, up to so many bytes; empty where there is none. */
export function readTail(file: string, longest: number): string {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, longest));
    const read = readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString('utf8', 0, read);
  } finally {
    closeSync(handle);
  }
}

/** What of a tail is whole lines. */
export function wholeLines(tail: string): string {
  return tail.slice(0, tail.lastIndexOf('\n') + 1);
}

/**
 * Adds lines to the record's file, and waits for the disk. A last line that was cut short is left as it is, and not glued to
 * the next.
 * @param tail how the file ends: as much of it as is needed to tell whether it ends with a whole line
 * @param file made with the first line, 0600
 */
export function appendLines(file: string, tail: string, lines: readonly string[]): void {
  const cut = wholeLines(tail).length < tail.length ? '\n' : '';
  appendFileSync(file, cut + lines.map((line) => `${line}\n`).join(''), { mode: 0o600, flush: true });
}
