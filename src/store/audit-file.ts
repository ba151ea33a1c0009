import { appendFileSync, closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Returns at most `longest` bytes from the end of the audit log's file, or an empty string if there is no file. */
export function readFileTail(file: string, longest: number): string {
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

export function dropIncompleteLine(tail: string): string {
  return tail.slice(0, tail.lastIndexOf('\n') + 1);
}

/**
 * Appends lines to the audit log's file and flushes the file to disk. If the file ends with a truncated line, that line
 * is kept, and the new lines are appended after a line break.
 * @param tail the text at the end of the file, which shows whether the last line is complete
 * @param file created with mode 0600 if it does not exist
 */
export function appendLines(file: string, tail: string, lines: readonly string[]): void {
  const cut = dropIncompleteLine(tail).length < tail.length ? '\n' : '';
  appendFileSync(file, cut + lines.map((line) => `${line}\n`).join(''), { mode: 0o600, flush: true });
}
