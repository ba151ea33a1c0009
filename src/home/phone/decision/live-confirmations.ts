import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../../machine/clock.ts';

/** Who has typed, once for an account, that they know its money is real. */
export interface LiveConfirmations {
  has(user: string, account: string): boolean;
  keep(user: string, account: string): void;
}

/** The confirmations in SQLite. */
export function createLiveConfirmations(database: Database, clock: Clock): LiveConfirmations {
  database.exec(`
    CREATE TABLE IF NOT EXISTS live_confirmations (
      user TEXT NOT NULL, account TEXT NOT NULL, confirmed_at INTEGER NOT NULL, PRIMARY KEY (user, account)
    ) STRICT;
  `);
  const find = database.prepare<[string, string]>(
    'SELECT 1 FROM live_confirmations WHERE user = ? AND account = ?',
  );
  const insert = database.prepare<[string, string, number]>(
    'INSERT OR IGNORE INTO live_confirmations VALUES (?, ?, ?)',
  );
  return {
    has: (user, account) => find.get(user, account) !== undefined,
    keep: (user, account) => void insert.run(user, account, clock.now()),
  };
}
