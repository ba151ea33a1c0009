import { statSync } from 'node:fs';
import type Database from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../../machine/failpoint.ts';
import { type AuditHead, type AuditNote, type AuditStore, EMPTY_AUDIT_HEAD, nextAuditEntry } from '../audit.ts';
import { appendLines, dropIncompleteLine, readFileTail } from '../audit-file.ts';

interface NotedRow {
  readonly seq: number;
  readonly line: string;
}

/**
 * Returns a function that adds an audit log entry. Call it in the transaction that makes the recorded change. That
 * transaction holds the write lock, so that entries are in the order of their transactions.
 */
export function createAuditLogWriter(database: Database.Database): (note: AuditNote, now: number) => void {
  const head = database.prepare<[], AuditHead>('SELECT seq, hash FROM audit_head');
  const advance = database.prepare('UPDATE audit_head SET seq = ?, hash = ?');
  const insert = database.prepare('INSERT INTO audit_noted (seq, line) VALUES (?, ?)');
  return (note, now) => {
    const before = head.get();
    if (before === undefined) throw new Error('the audit log’s head row is missing');
    const { seq, hash, line } = nextAuditEntry(before, note, now);
    insert.run(seq, line);
    advance.run(seq, hash);
  };
}

/** @param database the gateway's database, migrated to the latest version */
export function createSqliteAuditStore(database: Database.Database): AuditStore {
  const head = database.prepare<[], AuditHead>('SELECT seq, hash FROM audit_head');
  const noted = database.prepare<[], NotedRow>('SELECT seq, line FROM audit_noted ORDER BY seq');
  const any = database.prepare('SELECT 1 FROM audit_noted LIMIT 1');
  const count = database.prepare<[], number>('SELECT count(*) FROM audit_noted').pluck();
  const forget = database.prepare('DELETE FROM audit_noted WHERE seq <= ?');

  /** Moves the lines to the file under the write lock, so that only one process at a time writes to the file. */
  const moveToFile = database.transaction((file: string) => {
    const rows = noted.all();
    const last = rows.at(-1);
    if (last === undefined) return;
    // A process that died while moving lines may have written some of these lines, but nothing after them.
    const tail = readFileTail(file, Buffer.byteLength(rows.map(({ line }) => `${line}\n`).join('')));
    const whole = dropIncompleteLine(tail);
    const missing = rows.map(({ line }) => line).filter((line) => !whole.includes(line));
    if (missing.length > 0) {
      appendLines(file, tail, missing);
      failpoint('audit.appended');
    }
    forget.run(last.seq);
  });

  /**
   * Moves lines to the file. The deletion from the database is not flushed to disk: if a power failure undoes it,
   * the lines are found in the file, which was flushed first. Sets `synchronous` for this commit only, outside of
   * any transaction.
   */
  const moveUnsynced = (file: string): void => {
    const before = database.pragma('synchronous', { simple: true });
    database.pragma('synchronous = NORMAL');
    try {
      moveToFile.immediate(file);
    } finally {
      database.pragma(`synchronous = ${before}`);
    }
  };

  /** Reads the audit log under the write lock, so that no lines are moved to the file in the meantime. */
  const snapshot = database.transaction((file: string) => ({
    head: head.get() ?? EMPTY_AUDIT_HEAD,
    pending: noted.all().map(({ line }) => line),
    bytes: statSync(file, { throwIfNoEntry: false })?.size ?? 0,
  }));

  const note = database.transaction(createAuditLogWriter(database));

  return {
    note: async (line, now) => note.immediate(line, now),
    async moveToFile(file) {
      if (any.get() !== undefined) moveUnsynced(file);
    },
    snapshot: async (file) => snapshot.immediate(file),
    pendingCount: async () => count.get() ?? 0,
  };
}
