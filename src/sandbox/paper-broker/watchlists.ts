import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';

/** A list of symbols under a name of its owner's. Times are milliseconds since the epoch. */
export interface WatchlistRecord {
  id: string;
  account_id: string;
  name: string;
  /** In the owner's order, with commas between them. */
  symbols: string;
  created_at: number;
  updated_at: number;
}

export interface Watchlists {
  all(accountId: string): WatchlistRecord[];
  byId(accountId: string, id: string): WatchlistRecord | undefined;
  /** @returns undefined where the account has one of this name already */
  make(accountId: string, name: string, symbols: readonly string[], at: number): WatchlistRecord | undefined;
  change(list: WatchlistRecord, name: string, symbols: readonly string[], at: number): WatchlistRecord;
  remove(list: WatchlistRecord): void;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS broker_watchlists (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES broker_accounts (id), name TEXT NOT NULL,
    symbols TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, UNIQUE (account_id, name)
  ) STRICT;`;

export function openWatchlists(database: Database.Database): Watchlists {
  database.exec(TABLES);
  const all = database.prepare<[string], WatchlistRecord>(
    'SELECT * FROM broker_watchlists WHERE account_id = ? ORDER BY created_at, id',
  );
  const one = database.prepare<[string, string], WatchlistRecord>(
    'SELECT * FROM broker_watchlists WHERE account_id = ? AND id = ?',
  );
  const insert = database.prepare<WatchlistRecord>(
    `INSERT INTO broker_watchlists (id, account_id, name, symbols, created_at, updated_at)
     VALUES (:id, :account_id, :name, :symbols, :created_at, :updated_at) ON CONFLICT DO NOTHING`,
  );
  const update = database.prepare<WatchlistRecord>(
    'UPDATE broker_watchlists SET name = :name, symbols = :symbols, updated_at = :updated_at WHERE id = :id',
  );
  const drop = database.prepare<[string]>('DELETE FROM broker_watchlists WHERE id = ?');
  return {
    all: (accountId) => all.all(accountId),
    byId: (accountId, id) => one.get(accountId, id),
    make(account_id, name, symbols, at) {
      const list = {
        id: randomUUID(),
        account_id,
        name,
        symbols: symbols.join(','),
        created_at: at,
        updated_at: at,
      };
      return insert.run(list).changes === 0 ? undefined : list;
    },
    change(list, name, symbols, at) {
      const changed = { ...list, name, symbols: symbols.join(','), updated_at: at };
      update.run(changed);
      return changed;
    },
    remove(list) {
      drop.run(list.id);
    },
  };
}
