import { open } from 'node:fs/promises';
import {
  type AuditHead,
  type AuditSnapshot,
  type AuditStore,
  EMPTY_AUDIT_HEAD,
  hashAuditEntry,
} from '../store/audit.ts';
import type { RecordFault } from '../trading/record-line.ts';
import type { CheckpointReader } from './checkpoints/checkpoint-reader.ts';

/**
 * How long audit lines are collected, in milliseconds, so that related lines, such as an approval and its execution,
 * are written together.
 */
const FLUSH_DELAY_MS = 20;

/**
 * The tamper-evident audit log: a JSON object per line, each with the hash of the previous line. A line is first stored
 * in the database, in the same transaction as the change that it records, and then moved to the file, so a crash
 * neither loses nor duplicates it. The database keeps the number and hash of the last line, so lines that were cut off
 * the end are detected, too.
 */
export class AuditChain {
  readonly #file: string;
  readonly #store: Pick<AuditStore, 'moveToFile'>;
  #soon: NodeJS.Timeout | undefined;
  #inProgress: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** @param file created with mode 0600 when the first line is written */
  constructor(file: string, store: Pick<AuditStore, 'moveToFile'>) {
    this.#file = file;
    this.#store = store;
  }

  /**
   * Moves the stored lines to the file, and waits until they are on disk.
   * @throws if the lines can't be written; the caller must then not send the order, because the order would leave no record
   */
  async flush(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    await this.#moved();
  }

  /** Flushes after a short delay, to include lines stored until then. If this fails, the next flush writes them. */
  flushSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      // The lines stay in the store. They are flushed again before anything is sent, and a failure then prevents the
      // sending.
      this.#moved().catch(() => undefined);
    }, FLUSH_DELAY_MS);
  }

  /**
   * Moves the stored lines to the file. A move in progress may have started before the latest line was stored, so
   * callers then share the next move.
   */
  #moved(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#inProgress === undefined) return this.#move();
    this.#next = this.#inProgress
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#move();
      });
    return this.#next;
  }

  #move(): Promise<void> {
    this.#inProgress = this.#store.moveToFile(this.#file).finally(() => {
      this.#inProgress = undefined;
    });
    return this.#inProgress;
  }
}

/** The result of `gateway audit verify`. */
export type AuditVerdict =
  | { readonly ok: true; readonly lines: number }
  | {
      readonly ok: false;
      /** Line number in the file, counted from 1. */
      readonly line: number;
      readonly seq: number;
      readonly what: RecordFault;
    };

/**
 * Reads the whole audit log, even while the gateway writes to it, and finds the first line that was changed, removed or
 * added. A line that was rewritten together with its hash is exposed by the next line. A rewritten last line is exposed
 * by the database, which stores the number and hash of the last line. If someone rewrote the database as well, the
 * change is exposed by the checkpoints, or by a copy of a checkpoint that someone kept elsewhere.
 * @param store its snapshot has no `head` if a copy of the log is verified
 * @param checkpoints checks each intact line
 */
export async function verifyAuditFile(
  file: string,
  store: { snapshot(file: string): Promise<Omit<AuditSnapshot, 'head'> & { readonly head?: AuditHead }> },
  checkpoints?: Pick<CheckpointReader, 'check'>,
): Promise<AuditVerdict> {
  const { head, pending, bytes } = await store.snapshot(file);
  let number = 0;
  let seq = 0;
  let prev = EMPTY_AUDIT_HEAD.hash;
  /** The beginning of a line that was cut off when the gateway died. The complete line must follow. */
  let cut: { readonly text: string; readonly number: number } | undefined;
  const fault = (what: Exclude<AuditVerdict, { ok: true }>['what'], line = number): AuditVerdict => ({
    ok: false,
    line,
    seq: seq + 1,
    what,
  });
  const check = async (text: string): Promise<AuditVerdict | undefined> => {
    if (cut !== undefined && !text.startsWith(cut.text)) return fault('unreadable', cut.number);
    const entry = parseEntry(text);
    if (entry === undefined) {
      cut = { text, number };
      return undefined;
    }
    cut = undefined;
    const wrong = chainFault(entry, text, { seq, prev, most: head?.seq }) ?? (await checkpoints?.check(entry));
    if (wrong !== undefined) return fault(wrong);
    seq = entry.seq;
    prev = entry.hash;
    return undefined;
  };
  const all = async function* () {
    yield* readAuditLines(file, bytes);
    // A process that died may have written some of the pending lines to the file already.
    for (const text of pending) if ((parseEntry(text)?.seq ?? 0) > seq) yield text;
  };
  for await (const text of all()) {
    number += 1;
    const found = text === '' ? undefined : await check(text);
    if (found !== undefined) return found;
  }
  if (cut !== undefined) return fault('unreadable', cut.number);
  if (head === undefined) return { ok: true, lines: seq };
  if (seq < head.seq) return fault('removed', number + 1);
  // A complete but forged chain ends in a different hash.
  if (prev !== head.hash) return { ok: false, line: number, seq, what: 'changed' };
  return { ok: true, lines: seq };
}

type Entry = Record<string, unknown> & { seq: number; hash: string };

/**
 * Returns what is wrong with a line's number, hash or link to the previous line; undefined if nothing is.
 * @param before.most number of the last line, according to the database
 */
function chainFault(
  entry: Entry,
  text: string,
  { seq, prev, most = Number.POSITIVE_INFINITY }: { seq: number; prev: string; most: number | undefined },
): 'removed' | 'added' | 'changed' | undefined {
  if (entry.seq > seq + 1) return 'removed';
  if (entry.seq <= seq || entry.seq > most) return 'added';
  // Compared byte for byte, because parsers differ in how they read duplicate members.
  if (JSON.stringify(entry) !== text) return 'changed';
  return entry.hash === hashAuditEntry(entry) && entry.prev === prev ? undefined : 'changed';
}

function parseEntry(text: string): Entry | undefined {
  try {
    const entry = JSON.parse(text) as Entry;
    return Number.isSafeInteger(entry.seq) && typeof entry.hash === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** Number of bytes to read at once. The buffer grows for a longer line. */
const BLOCK_BYTES = 512 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Yields the lines within the first `bytes` bytes of the file. Splits at line feeds only: JSON may contain U+2028
 * unescaped, which other line readers treat as a line end.
 * @param named if given, only lines that contain one of these strings are decoded and yielded
 */
export async function* readAuditLines(file: string, bytes: number, named?: readonly string[]): AsyncGenerator<string> {
  if (bytes === 0) return;
  const handle = await open(file, 'r');
  try {
    let buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    for (let at = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
      const isLast = bytesRead < buffer.length;
      const end = isLast ? bytesRead : buffer.lastIndexOf(LINE_FEED) + 1;
      const whole = buffer.subarray(0, end);
      for (const start of named === undefined ? lineStarts(whole) : lineStartsContaining(whole, named))
        yield lineAt(whole, start);
      if (isLast) return;
      // An incomplete line is read again together with its rest.
      if (end === 0) buffer = Buffer.allocUnsafeSlow(2 * buffer.length);
      at += end;
    }
  } finally {
    await handle.close();
  }
}

function* lineStarts(block: Buffer): Generator<number> {
  for (let at = 0; at < block.length; at = endOfLine(block, at) + 1) yield at;
}

function lineStartsContaining(block: Buffer, named: readonly string[]): number[] {
  const starts = new Set<number>();
  for (const name of named) {
    for (let at = block.indexOf(name); at >= 0; at = block.indexOf(name, endOfLine(block, at)))
      starts.add(block.lastIndexOf(LINE_FEED, at) + 1);
  }
  return [...starts].sort((a, b) => a - b);
}

function lineAt(block: Buffer, start: number): string {
  const end = endOfLine(block, start);
  return block.toString('utf8', start, block[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
}

function endOfLine(block: Buffer, from: number): number {
  const found = block.indexOf(LINE_FEED, from);
  return found < 0 ? block.length : found;
}
