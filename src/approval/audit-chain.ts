import { createHash } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { createInterface } from 'node:readline';
import type Database from 'better-sqlite3-multiple-ciphers';
import canonicalize from 'canonicalize';
import type { Clock } from '../machine/clock.ts';
import { failpoint } from '../machine/failpoint.ts';

export type AuditEvent =
  | 'proposed'
  | 'requested'
  | 'asked_again'
  | 'approved'
  | 'executing'
  | 'not_taken'
  | 'executed'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'blocked'
  | 'unknown'
  | 'order_cancelled'
  | 'halted'
  | 'lifted';

/** What follows within this time goes to the disk together: an approval, say, and that it is being carried out. */
const SOON_MS = 20;
/** Before the first line. */
const GENESIS = '0'.repeat(64);

/**
 * The record that can't be changed unseen: one JSON object a line, each with the hash of the one before. A line is first
 * noted in the database, in the transaction that makes it true, and then moved to the file: no death in between loses
 * one, and none is there twice. The database keeps the last line's number and hash, so that lines cut off the end are
 * missed too.
 */
export interface AuditChain {
  /** Notes an event. To be called in the transaction that makes it true. */
  note(event: AuditEvent, facts: Readonly<Record<string, unknown>>): void;
  /**
   * Writes what is noted to the file, and waits for the disk.
   * @throws where it can't be written: an order that leaves no record is not sent
   */
  flush(): void;
  /** The same before long, together with whatever else is noted by then. A failure is left for the next flush. */
  flushSoon(): void;
}

interface Noted {
  readonly seq: number;
  readonly line: string;
}

/** hex(SHA-256) of a line's RFC 8785 form without its own `hash`. */
function hashOf(facts: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...rest } = facts;
  return createHash('sha256')
    .update(canonicalize(rest) ?? '')
    .digest('hex');
}

export function createAuditTables(database: Database.Database): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS audit_head (
      one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL
    ) STRICT;
    INSERT OR IGNORE INTO audit_head VALUES (1, 0, '${GENESIS}');
    CREATE TABLE IF NOT EXISTS audit_noted (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;
  `);
}

/** @param file made with the first line, 0600 */
export function createAuditChain(file: string, database: Database.Database, clock: Clock): AuditChain {
  createAuditTables(database);
  const head = database.prepare<[], { seq: number; hash: string }>('SELECT seq, hash FROM audit_head');
  const advance = database.prepare('UPDATE audit_head SET seq = ?, hash = ?');
  const insert = database.prepare('INSERT INTO audit_noted (seq, line) VALUES (?, ?)');
  const noted = database.prepare<[], Noted>('SELECT seq, line FROM audit_noted ORDER BY seq');
  const any = database.prepare('SELECT 1 FROM audit_noted LIMIT 1');
  const forget = database.prepare('DELETE FROM audit_noted WHERE seq <= ?');

  /** Under the write lock, so that lines stand in the order of their transactions. */
  const moveToFile = database.transaction(() => {
    const rows = noted.all();
    const last = rows.at(-1);
    if (last === undefined) return;
    // Whoever died after writing some of these wrote nothing else since.
    const tail = readTail(file, Buffer.byteLength(rows.map(({ line }) => `${line}\n`).join('')));
    const whole = tail.slice(0, tail.lastIndexOf('\n') + 1);
    const missing = rows.filter(({ line }) => !whole.includes(line)).map(({ line }) => `${line}\n`);
    if (missing.length > 0) {
      // A line that was cut short is left as it is, and not glued to the next.
      const cut = whole.length < tail.length ? '\n' : '';
      appendFileSync(file, cut + missing.join(''), { mode: 0o600, flush: true });
      failpoint('audit.appended');
    }
    forget.run(last.seq);
  });

  /**
   * Forgetting need not wait for the disk, the file has: what is noted again after a power cut is found in it. Sets
   * `synchronous` for this one commit, which is outside of any transaction.
   */
  const moveUnsynced = (): void => {
    const before = database.pragma('synchronous', { simple: true });
    database.pragma('synchronous = NORMAL');
    try {
      moveToFile.immediate();
    } finally {
      database.pragma(`synchronous = ${before}`);
    }
  };

  let soon: NodeJS.Timeout | undefined;
  const chain: AuditChain = {
    note(event, facts) {
      const before = head.get();
      if (before === undefined) throw new Error('the audit chain has lost its head');
      const seq = before.seq + 1;
      const entry = { ...facts, seq, at: new Date(clock.now()).toISOString(), event, prev: before.hash };
      const hash = hashOf(entry);
      insert.run(seq, JSON.stringify({ ...entry, hash }));
      advance.run(seq, hash);
    },
    flush() {
      clearTimeout(soon);
      soon = undefined;
      if (any.get() !== undefined) moveUnsynced();
    },
    flushSoon() {
      soon ??= setTimeout(() => {
        soon = undefined;
        try {
          if (database.open) chain.flush();
        } catch {
          // It stays noted: before anything is sent it is tried again, and then a failure counts.
        }
      }, SOON_MS);
    },
  };
  return chain;
}

/** What `gateway audit verify` finds. */
export type AuditVerdict =
  | { readonly ok: true; readonly lines: number }
  | {
      readonly ok: false;
      /** Counted from 1, as an editor shows it. */
      readonly line: number;
      readonly seq: number;
      readonly what: 'changed' | 'removed' | 'added' | 'unreadable';
    };

/** Where the record stands at one moment: its last line as the database has it, and how long the file is by then. */
interface Standing {
  readonly head: { readonly seq: number; readonly hash: string };
  /** Noted in the database; some of them may be in the file too, where a process died in between. */
  readonly pending: readonly string[];
  readonly bytes: number;
}

/**
 * Reads the whole record and finds the first line that was changed, removed or added; also while the gateway writes to
 * it. A line that was rewritten together with its own hash is found by the one after it, and the last by the database,
 * which also knows how many there must be. Whoever can write the database as well can't be found out here.
 */
export async function verifyAuditFile(file: string, database: Database.Database): Promise<AuditVerdict> {
  createAuditTables(database);
  const { head, pending, bytes } = standingOf(file, database);
  let number = 0;
  let seq = 0;
  let prev = GENESIS;
  /** The beginning of a line that a dying process left; the whole line must follow. */
  let cut: { readonly text: string; readonly number: number } | undefined;
  const fault = (what: Exclude<AuditVerdict, { ok: true }>['what'], line = number): AuditVerdict => ({
    ok: false,
    line,
    seq: seq + 1,
    what,
  });
  const check = (text: string): AuditVerdict | undefined => {
    if (cut !== undefined && !text.startsWith(cut.text)) return fault('unreadable', cut.number);
    const entry = entryOf(text);
    if (entry === undefined) {
      cut = { text, number };
      return undefined;
    }
    cut = undefined;
    if (entry.seq > seq + 1) return fault('removed');
    if (entry.seq <= seq || entry.seq > head.seq) return fault('added');
    // As it was written, byte for byte: a member given twice, say, is read by some programs one way, by some the other.
    if (JSON.stringify(entry) !== text) return fault('changed');
    if (entry.hash !== hashOf(entry) || entry.prev !== prev) return fault('changed');
    seq = entry.seq;
    prev = entry.hash;
    return undefined;
  };
  for await (const text of linesOf(file, bytes)) {
    number += 1;
    const found = text === '' ? undefined : check(text);
    if (found !== undefined) return found;
  }
  for (const text of pending) {
    if ((entryOf(text)?.seq ?? 0) <= seq) continue;
    number += 1;
    const found = check(text);
    if (found !== undefined) return found;
  }
  if (cut !== undefined) return fault('unreadable', cut.number);
  if (seq < head.seq) return fault('removed', number + 1);
  // A whole chain of somebody else's making ends in another hash.
  if (prev !== head.hash) return { ok: false, line: number, seq, what: 'changed' };
  return { ok: true, lines: seq };
}

/** Under the write lock, as lines are moved to the file under it. */
function standingOf(file: string, database: Database.Database): Standing {
  return database
    .transaction(() => ({
      head: database.prepare<[], { seq: number; hash: string }>('SELECT seq, hash FROM audit_head').get() ?? {
        seq: 0,
        hash: GENESIS,
      },
      pending: database
        .prepare<[], Noted>('SELECT seq, line FROM audit_noted ORDER BY seq')
        .all()
        .map(({ line }) => line),
      bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
    }))
    .immediate();
}

/** Undefined for what is no line of the record. */
function entryOf(text: string): (Record<string, unknown> & { seq: number; hash: string }) | undefined {
  try {
    const entry: unknown = JSON.parse(text);
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { seq, hash } = entry as Record<string, unknown>;
    if (!Number.isSafeInteger(seq) || typeof hash !== 'string') return undefined;
    return entry as Record<string, unknown> & { seq: number; hash: string };
  } catch {
    return undefined;
  }
}

/** The lines of a file's first bytes. */
async function* linesOf(file: string, bytes: number): AsyncGenerator<string> {
  if (bytes === 0) return;
  yield* createInterface({
    input: createReadStream(file, { end: bytes - 1 }),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
}

/** The last part of a file, up to so many bytes; empty where there is none. */
function readTail(file: string, longest: number): string {
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
