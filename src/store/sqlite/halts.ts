import type Database from 'better-sqlite3-multiple-ciphers';
import type { Halts } from '../halts.ts';
import { auditNotes } from './audit-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteHalts(database: Database.Database): Halts {
  const note = auditNotes(database);
  const select = database.prepare<[string], { at: number }>(
    'SELECT halted_at AS at FROM halts WHERE sub = ?',
  );
  const insert = database.prepare('INSERT OR IGNORE INTO halts (sub, halted_at, by_client) VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM halts WHERE sub = ? AND halted_at = ?');
  const halt = database.transaction((sub: string, by: string, now: number) => {
    if (insert.run(sub, now, by).changes === 1) note({ event: 'halted', facts: { sub, client: by } }, now);
    return select.get(sub)?.at ?? now;
  });
  const lift = database.transaction((sub: string, haltedAt: number, now: number) => {
    const changed = remove.run(sub, haltedAt).changes === 1;
    if (changed) note({ event: 'lifted', facts: { sub } }, now);
    return changed;
  });
  return {
    haltedAt: async (sub) => select.get(sub)?.at,
    halt: async (sub, by, now) => halt.immediate(sub, by, now),
    lift: async (sub, haltedAt, now) => lift.immediate(sub, haltedAt, now),
  };
}
