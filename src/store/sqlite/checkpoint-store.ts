import type Database from 'better-sqlite3-multiple-ciphers';
import { type AuditHead, type AuditNote, NO_LINE } from '../audit.ts';
import type { CheckpointStore } from '../checkpoint-store.ts';
import { type CheckpointRow, checkpointOf, isDue } from '../rows/checkpoint-row.ts';
import { auditNotes } from './audit-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteCheckpointStore(database: Database.Database): CheckpointStore {
  const note = auditNotes(database);
  const head = database.prepare<[], AuditHead>('SELECT seq, hash FROM audit_head');
  const select = database.prepare<[], CheckpointRow>(
    'SELECT day, seq, hash, anchored FROM record_checkpoint',
  );
  const write = database.prepare(
    'INSERT OR REPLACE INTO record_checkpoint (one, day, seq, hash, anchored) VALUES (1, @day, @seq, @hash, @anchored)',
  );
  const anchored = database.prepare(
    'UPDATE record_checkpoint SET anchored = 1 WHERE seq = ? AND anchored = 0',
  );
  const close = database.transaction(
    (
      { day, today }: Parameters<CheckpointStore['close']>[0],
      line: (head: AuditHead, previous: string) => AuditNote,
      now: number,
    ) => {
      const last = select.get();
      if (last === undefined) write.run({ day, ...NO_LINE, anchored: 1 });
      if (last === undefined || !isDue(last, { day, today })) return false;
      note(line(head.get() ?? NO_LINE, last.hash), now);
      write.run({ day, ...(head.get() ?? NO_LINE), anchored: 0 });
      return true;
    },
  );
  const anchor = database.transaction((seq: number, line: AuditNote, now: number) => {
    if (anchored.run(seq).changes === 0) return false;
    note(line, now);
    return true;
  });
  return {
    async last() {
      const row = select.get();
      return row && checkpointOf(row);
    },
    close: async (days, line, now) => close.immediate(days, line, now),
    anchor: async (seq, line, now) => anchor.immediate(seq, line, now),
  };
}
