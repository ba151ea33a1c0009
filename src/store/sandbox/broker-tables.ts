import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import type { IsoDate } from '../../trading/new-york-time.ts';

/** A named list of symbols. Times are milliseconds since the epoch. */
export interface WatchlistRecord {
  id: string;
  account_id: string;
  name: string;
  /** Symbols in the order that the owner chose, separated by commas. */
  symbols: string;
  created_at: number;
  updated_at: number;
}

export type Watchlists = ReturnType<typeof openWatchlists>;

export function openWatchlists(database: Database.Database) {
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
    all: (accountId: string) => all.all(accountId),
    byId: (accountId: string, id: string) => one.get(accountId, id),
    /** Creates a watchlist. Returns undefined if the account already has a watchlist with this name. */
    make(account_id: string, name: string, symbols: readonly string[], at: number): WatchlistRecord | undefined {
      const times = { created_at: at, updated_at: at };
      const list = { id: randomUUID(), account_id, name, symbols: symbols.join(','), ...times };
      return insert.run(list).changes === 0 ? undefined : list;
    },
    change(list: WatchlistRecord, name: string, symbols: readonly string[], at: number): WatchlistRecord {
      const changed = { ...list, name, symbols: symbols.join(','), updated_at: at };
      update.run(changed);
      return changed;
    },
    remove: ({ id }: WatchlistRecord) => void drop.run(id),
  };
}

export type HistoryGaps = ReturnType<typeof openHistoryGaps>;

/** Opens the table of days that are missing from the portfolio history. Real brokers' histories have gaps, too. */
export function openHistoryGaps(database: Database.Database) {
  const all = database.prepare<[], IsoDate>('SELECT date FROM broker_history_gaps').pluck();
  const clear = database.prepare('DELETE FROM broker_history_gaps');
  const add = database.prepare<[string]>('INSERT INTO broker_history_gaps (date) VALUES (?)');
  return {
    days: (): ReadonlySet<IsoDate> => new Set(all.all()),
    set: database.transaction((days: readonly IsoDate[]) => {
      clear.run();
      for (const day of new Set(days)) add.run(day);
    }) as (days: readonly IsoDate[]) => void,
  };
}

/** Opens an append-only list in a table with two columns: `seq`, and `column`, which contains each item as JSON. */
export function openJsonLog<Item>(database: Database.Database, table: string, column: string) {
  const all = database.prepare<[], string>(`SELECT ${column} FROM ${table} ORDER BY seq`).pluck();
  const insert = database.prepare<[string]>(`INSERT INTO ${table} (${column}) VALUES (?)`);
  return {
    /** Returns all items, oldest first. */
    all: () => all.all().map((text) => JSON.parse(text) as Item),
    add: (item: Item) => void insert.run(JSON.stringify(item)),
  };
}
