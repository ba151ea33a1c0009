import type Database from 'better-sqlite3-multiple-ciphers';
import type { LimitsStore } from '../limits-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteLimitsStore(database: Database.Database): LimitsStore {
  const select = database.prepare<[], number>('SELECT count(*) FROM limits_seen').pluck();
  const insert = database.prepare<[number]>('INSERT OR IGNORE INTO limits_seen (id, since) VALUES (1, ?)');
  const remove = database.prepare<[]>('DELETE FROM limits_seen');
  return {
    hadLimits: async () => select.get() === 1,
    remember: async (now) => void insert.run(now),
    forget: async () => void remove.run(),
  };
}
