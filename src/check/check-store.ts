import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import type { Activity } from '../trading/activity.ts';
import { Dec } from '../trading/decimal.ts';
import { TradeAgentError } from '../trading/errors.ts';
import type { HighWaterMark } from '../trading/portfolio/drawdown.ts';
import type { PriceHistory } from '../trading/portfolio/price-history.ts';
import type { FiredState } from './firing.ts';
import type { ActivityCache, CloseCache } from './gather.ts';
import {
  forgetTold,
  type NoticeOutbox,
  noticeOutbox,
  noticeTables,
  waitingByChannel,
} from './notice-outbox.ts';

/** Versions of the schema, oldest first; never edit one that was released. */
const migrations: readonly string[] = [
  `
  CREATE TABLE fired (
    profile TEXT NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL, subject TEXT NOT NULL,
    definition TEXT NOT NULL, since INTEGER NOT NULL,
    PRIMARY KEY (profile, account, rule, subject)
  ) STRICT;
  CREATE TABLE high_water (
    profile TEXT NOT NULL, account TEXT NOT NULL, value TEXT NOT NULL, at INTEGER NOT NULL,
    last_value TEXT NOT NULL, last_at INTEGER NOT NULL,
    PRIMARY KEY (profile, account)
  ) STRICT;
  CREATE TABLE proposed (
    profile TEXT NOT NULL, account TEXT NOT NULL, rule TEXT NOT NULL, definition TEXT NOT NULL,
    thread TEXT NOT NULL, asked INTEGER NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (profile, account, rule, definition)
  ) STRICT;
  CREATE TABLE closes (symbol TEXT PRIMARY KEY, days BLOB NOT NULL, closes BLOB NOT NULL) STRICT;
  `,
  noticeTables,
  `
  CREATE TABLE activities (
    profile TEXT NOT NULL, account TEXT NOT NULL, rows TEXT NOT NULL, whole_at INTEGER NOT NULL,
    PRIMARY KEY (profile, account)
  ) STRICT;
  `,
];

/** A conditional order on its way to the person; `asked` once an approval of it is known to exist. */
export interface ProposedOrder {
  readonly thread: string;
  readonly asked: boolean;
}

/** What checks remember of one account. */
export interface AccountMemory {
  fired(): FiredState[];
  mark(): HighWaterMark | undefined;
  /** Both at once, or neither. */
  remember(states: readonly FiredState[], mark: HighWaterMark | undefined): void;
  /** Where a conditional order was proposed; undefined for one that was not. */
  proposed(rule: string, definition: string): ProposedOrder | undefined;
  /** Before the person is asked, so that no crash leads to a second question. */
  proposing(rule: string, definition: string, thread: string, now: number): void;
  /** They were asked: whatever they answer, it is never asked again. */
  asked(rule: string, definition: string): void;
  /** What people are still to be told. */
  readonly notices: NoticeOutbox;
}

export interface CheckStore {
  readonly closes: CloseCache;
  account(owner: { readonly profile: string; readonly account: string }): AccountMemory;
  activities(owner: { readonly profile: string; readonly account: string }): ActivityCache;
  /** How many notices each channel has yet to send. */
  waitingNotices(): ReadonlyMap<string, number>;
  close(): void;
}

/**
 * Opens `checks.db`: what rules have fired, the high-water mark, and closing prices. Encrypted as `state.db` is, with
 * the same key; WAL with `synchronous=FULL`.
 * @throws {TradeAgentError} `state_corrupt`
 */
export function openCheckStore(file: string, key: string): CheckStore {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = openDatabase(file, key);
  const closeRow = database.prepare<[string], { days: Buffer; closes: Buffer }>(
    'SELECT days, closes FROM closes WHERE symbol = ?',
  );
  const putCloses = database.prepare(
    'INSERT INTO closes (symbol, days, closes) VALUES (?, ?, ?) ON CONFLICT (symbol) DO UPDATE SET days = excluded.days, closes = excluded.closes',
  );
  return {
    closes: {
      get: (symbol) => {
        const row = closeRow.get(symbol);
        return row && unpack(row);
      },
      put: (symbol, history) => {
        putCloses.run(symbol, bytes(history.days), bytes(history.closes));
      },
    },
    account: (owner) => accountMemory(database, owner),
    activities: (owner) => activityCache(database, owner),
    waitingNotices: () => waitingByChannel(database),
    close: () => database.close(),
  };
}

function openDatabase(file: string, key: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = new Database(file, { timeout: 5000 });
    database.pragma(`cipher='sqlcipher'`);
    database.pragma(`key="x'${key}'"`);
    database.pragma('temp_store = MEMORY');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    const opened = database;
    opened
      .transaction(() => {
        const version = opened.pragma('user_version', { simple: true }) as number;
        if (version > migrations.length) {
          throw new TradeAgentError(
            'state_corrupt',
            `${file} was written by a newer version of trade-agent`,
            {
              hint: 'Nothing was changed. Update trade-agent.',
            },
          );
        }
        for (let next = version; next < migrations.length; next++) {
          opened.exec(migrations[next] as string);
          opened.pragma(`user_version = ${next + 1}`);
        }
      })
      .immediate();
    return database;
  } catch (error) {
    database?.close();
    const code = String((error as { code?: unknown }).code ?? '');
    if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
      throw new TradeAgentError(
        'state_corrupt',
        `${file} cannot be read: it is damaged, or its key is another`,
        {
          hint: 'Nothing was changed. Move the file away: the rules then fire anew, and the high-water mark begins anew.',
        },
      );
    }
    throw error;
  }
}

function accountMemory(
  database: Database.Database,
  { profile, account }: { readonly profile: string; readonly account: string },
): AccountMemory {
  const owner = [profile, account] as const;
  return {
    notices: noticeOutbox(database, owner),
    fired: () =>
      database
        .prepare<[string, string], FiredState>(
          'SELECT rule, subject, definition, since FROM fired WHERE profile = ? AND account = ?',
        )
        .all(...owner),
    mark: () => {
      const row = database
        .prepare<[string, string], { value: string; at: number; last_value: string; last_at: number }>(
          'SELECT value, at, last_value, last_at FROM high_water WHERE profile = ? AND account = ?',
        )
        .get(...owner);
      return (
        row && {
          value: new Dec(row.value),
          at: row.at,
          last: { at: row.last_at, value: new Dec(row.last_value) },
        }
      );
    },
    remember: (states, mark) =>
      database
        .transaction(() => {
          database.prepare('DELETE FROM fired WHERE profile = ? AND account = ?').run(...owner);
          const insert = database.prepare(
            'INSERT INTO fired (profile, account, rule, subject, definition, since) VALUES (?, ?, ?, ?, ?, ?)',
          );
          for (const { rule, subject, definition, since } of states)
            insert.run(...owner, rule, subject, definition, since);
          forgetTold(database, owner);
          if (mark === undefined) return;
          database
            .prepare(
              `INSERT INTO high_water (profile, account, value, at, last_value, last_at) VALUES (?, ?, ?, ?, ?, ?)
               ON CONFLICT (profile, account) DO UPDATE SET value = excluded.value, at = excluded.at,
               last_value = excluded.last_value, last_at = excluded.last_at`,
            )
            .run(...owner, mark.value.toFixed(), mark.at, mark.last.value.toFixed(), mark.last.at);
        })
        .immediate(),
    proposed: (rule, definition) => {
      const row = database
        .prepare<[string, string, string, string], { thread: string; asked: number }>(
          'SELECT thread, asked FROM proposed WHERE profile = ? AND account = ? AND rule = ? AND definition = ?',
        )
        .get(...owner, rule, definition);
      return row && { thread: row.thread, asked: row.asked === 1 };
    },
    proposing: (rule, definition, thread, now) => {
      database
        .prepare(
          'INSERT OR REPLACE INTO proposed (profile, account, rule, definition, thread, asked, at) VALUES (?, ?, ?, ?, ?, 0, ?)',
        )
        .run(...owner, rule, definition, thread, now);
    },
    asked: (rule, definition) => {
      database
        .prepare(
          'UPDATE proposed SET asked = 1 WHERE profile = ? AND account = ? AND rule = ? AND definition = ?',
        )
        .run(...owner, rule, definition);
    },
  };
}

function activityCache(
  database: Database.Database,
  { profile, account }: { readonly profile: string; readonly account: string },
): ActivityCache {
  return {
    get: () => {
      const row = database
        .prepare<[string, string], { rows: string; whole_at: number }>(
          'SELECT rows, whole_at FROM activities WHERE profile = ? AND account = ?',
        )
        .get(profile, account);
      return row && { activities: JSON.parse(row.rows) as Activity[], wholeAt: row.whole_at };
    },
    put: (activities, wholeAt) => {
      database
        .prepare('INSERT OR REPLACE INTO activities (profile, account, rows, whole_at) VALUES (?, ?, ?, ?)')
        .run(profile, account, JSON.stringify(activities), wholeAt);
    },
  };
}

function bytes(array: Int32Array | Float64Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Copied, since the numbers must lie at their own alignment. */
function unpack({ days, closes }: { days: Buffer; closes: Buffer }): PriceHistory {
  return {
    days: new Int32Array(new Uint8Array(days).buffer),
    closes: new Float64Array(new Uint8Array(closes).buffer),
  };
}
