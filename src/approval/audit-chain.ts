import { open } from 'node:fs/promises';
import { type AuditHead, type AuditStanding, type AuditStore, lineHash, NO_LINE } from '../store/audit.ts';
import type { RecordFault } from '../trading/record-line.ts';
import type { CheckpointReader } from './checkpoints/checkpoint-reader.ts';

/** What follows within this time goes to the disk together: an approval, say, and that it is being carried out. */
const SOON_MS = 20;

/**
 * The record that can't be changed unseen: one JSON object a line, each with the hash of the one before. A line is first
 * noted in the store, in the transaction that makes it true, and then moved to the file: no death in between loses one,
 * and none is there twice. The store keeps the last line's number and hash, so that lines cut off the end are missed too.
 */
export class AuditChain {
  readonly #file: string;
  readonly #store: Pick<AuditStore, 'moveToFile'>;
  #soon: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** @param file made with the first line, 0600 */
  constructor(file: string, store: Pick<AuditStore, 'moveToFile'>) {
    this.#file = file;
    this.#store = store;
  }

  /**
   * Writes what is noted to the file, and waits for the disk.
   * @throws where it can't be written: an order that leaves no record is not sent
   */
  async flush(): Promise<void> {
    clearTimeout(this.#soon);
    this.#soon = undefined;
    await this.#moved();
  }

  /** The same before long, together with whatever else is noted by then. A failure is left for the next flush. */
  flushSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      // It stays noted: before anything is sent it is tried again, and then a failure counts.
      this.#moved().catch(() => undefined);
    }, SOON_MS);
  }

  /** One that is under way may have looked before the last was noted: whoever comes meanwhile shares the one after it. */
  #moved(): Promise<void> {
    if (this.#next !== undefined) return this.#next;
    if (this.#underWay === undefined) return this.#move();
    this.#next = this.#underWay
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#move();
      });
    return this.#next;
  }

  #move(): Promise<void> {
    this.#underWay = this.#store.moveToFile(this.#file).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }
}

/** What `gateway audit verify` finds. */
export type AuditVerdict =
  | { readonly ok: true; readonly lines: number }
  | {
      readonly ok: false;
      /** Counted from 1, as an editor shows it. */
      readonly line: number;
      readonly seq: number;
      readonly what: RecordFault;
    };

/**
 * Reads the whole record and finds the first line that was changed, removed or added; also while the gateway writes to
 * it. A line that was rewritten together with its own hash is found by the one after it, and the last by the store,
 * which also knows how many there must be. Whoever can write that as well is found out by the checkpoints, or by whoever kept one.
 * @param store where a copy is read there is no last line that is known
 * @param checkpoints looks at each line that holds
 */
export async function verifyAuditFile(
  file: string,
  store: { standing(file: string): Promise<Omit<AuditStanding, 'head'> & { readonly head?: AuditHead }> },
  checkpoints?: Pick<CheckpointReader, 'see'>,
): Promise<AuditVerdict> {
  const { head, pending, bytes } = await store.standing(file);
  let number = 0;
  let seq = 0;
  let prev = NO_LINE.hash;
  /** The beginning of a line that a dying process left; the whole line must follow. */
  let cut: { readonly text: string; readonly number: number } | undefined;
  const fault = (what: Exclude<AuditVerdict, { ok: true }>['what'], line = number): AuditVerdict => ({
    ok: false,
    line,
    seq: seq + 1,
    what,
  });
  const check = async (text: string): Promise<AuditVerdict | undefined> => {
    if (cut !== undefined && !text.startsWith(cut.text)) return fault('unreadable', cut.number);
    const entry = entryOf(text);
    if (entry === undefined) {
      cut = { text, number };
      return undefined;
    }
    cut = undefined;
    const wrong = chainFault(entry, text, { seq, prev, most: head?.seq }) ?? (await checkpoints?.see(entry));
    if (wrong !== undefined) return fault(wrong);
    seq = entry.seq;
    prev = entry.hash;
    return undefined;
  };
  const all = async function* () {
    yield* linesOf(file, bytes);
    // A process that died may have written some of these to the file.
    for (const text of pending) if ((entryOf(text)?.seq ?? 0) > seq) yield text;
  };
  for await (const text of all()) {
    number += 1;
    const found = text === '' ? undefined : await check(text);
    if (found !== undefined) return found;
  }
  if (cut !== undefined) return fault('unreadable', cut.number);
  if (head === undefined) return { ok: true, lines: seq };
  if (seq < head.seq) return fault('removed', number + 1);
  // A whole chain of somebody else's making ends in another hash.
  if (prev !== head.hash) return { ok: false, line: number, seq, what: 'changed' };
  return { ok: true, lines: seq };
}

type Entry = Record<string, unknown> & { seq: number; hash: string };

/** Why a line does not follow the one before. @param before.most number of the last line there is */
function chainFault(
  entry: Entry,
  text: string,
  { seq, prev, most = Number.POSITIVE_INFINITY }: { seq: number; prev: string; most: number | undefined },
): 'removed' | 'added' | 'changed' | undefined {
  if (entry.seq > seq + 1) return 'removed';
  if (entry.seq <= seq || entry.seq > most) return 'added';
  // Byte for byte: programs differ in how they read a member that is given twice.
  if (JSON.stringify(entry) !== text) return 'changed';
  return entry.hash === lineHash(entry) && entry.prev === prev ? undefined : 'changed';
}

/** Undefined if it is no line of the record. */
function entryOf(text: string): Entry | undefined {
  try {
    const entry = JSON.parse(text) as Entry;
    return Number.isSafeInteger(entry.seq) && typeof entry.hash === 'string' ? entry : undefined;
  } catch {
    return undefined;
  }
}

/** What of the file is read at once, bytes; a longer line is still read as one. */
const BLOCK = 512 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The lines of the record's file, as far as its first bytes reach. Only a line feed ends one: JSON leaves U+2028 as it is, which
 * ends a line elsewhere.
 * @param named only those in whose text one of these stands: of the others no text is made
 */
export async function* linesOf(
  file: string,
  bytes: number,
  named?: readonly string[],
): AsyncGenerator<string> {
  if (bytes === 0) return;
  const handle = await open(file, 'r');
  try {
    let buffer = Buffer.allocUnsafeSlow(BLOCK);
    for (let at = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, bytes - at), at);
      const isLast = bytesRead < buffer.length;
      const end = isLast ? bytesRead : buffer.lastIndexOf(LINE_FEED) + 1;
      const whole = buffer.subarray(0, end);
      for (const start of named === undefined ? allStarts(whole) : startsNaming(whole, named))
        yield lineAt(whole, start);
      if (isLast) return;
      // The beginning of a line is read again with the rest of it.
      if (end === 0) buffer = Buffer.allocUnsafeSlow(2 * buffer.length);
      at += end;
    }
  } finally {
    await handle.close();
  }
}

/** Where lines start. */
function* allStarts(block: Buffer): Generator<number> {
  for (let at = 0; at < block.length; at = endOfLine(block, at) + 1) yield at;
}

/** The same of those in whose text one of the names stands. */
function startsNaming(block: Buffer, named: readonly string[]): number[] {
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
