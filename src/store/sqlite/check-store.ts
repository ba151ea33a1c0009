import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type Database from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Activity } from '../../trading/activity.ts';
import type { HighWaterMark } from '../../trading/portfolio/drawdown.ts';
import { type MarkRow, markOf, rowOf } from '../check-rows.ts';
import type {
  AccountMemory,
  ActivityCache,
  CheckStore,
  CloseCache,
  FiredState,
  KeptNotice,
  ProposedOrder,
  Remembered,
} from '../check-store.ts';
import { type PackedCloses, packCloses, unpackCloses } from '../packed-closes.ts';
import { openEncrypted } from './encrypted-database.ts';
import { sqliteImportStore } from './import-store.ts';
import { migrate } from './migrate.ts';
import { checkMigrations } from './migrations/checks.ts';
import { forgetTold, sqliteNoticeOutbox, waitingByChannel } from './notice-outbox.ts';

/**
 * Opens `checks.db`: what rules have fired, the high-water mark, and closing prices. Encrypted as `state.db` is, with
 * the same key; WAL with `synchronous=FULL`.
 * @param key 32 bytes in hex
 * @throws {TradeAgentError} `state_corrupt`
 */
export function openCheckStore<Notice extends KeptNotice>(file: string, key: string): CheckStore<Notice> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = openDatabase(file, key);
  return {
    closes: closeCache(database),
    account: (owner) => accountMemory(database, owner),
    activities: (owner) => activityCache(database, owner),
    imports: (owner) => sqliteImportStore(database, owner),
    waitingNotices: async () => waitingByChannel(database),
    close: () => database.close(),
  };
}

function openDatabase(file: string, key: string): Database.Database {
  let database: Database.Database | undefined;
  try {
    database = openEncrypted(file, Buffer.from(key, 'hex'));
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    migrate(
      database,
      checkMigrations,
      () =>
        new TradeAgentError('state_corrupt', `${file} was written by a newer version of trade-agent`, {
          hint: 'Nothing was changed. Update trade-agent.',
        }),
    );
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

interface ProposedRow {
  readonly rule: string;
  readonly definition: string;
  readonly thread: string;
  readonly asked: number;
}

function accountMemory<Notice extends KeptNotice>(
  database: Database.Database,
  { profile, account }: { readonly profile: string; readonly account: string },
): AccountMemory<Notice> {
  const owner = [profile, account] as const;
  const remembered = database.transaction((): Remembered => {
    const fired = firedOf(database, owner);
    const mark = markOf(
      database
        .prepare<[string, string], MarkRow>(
          'SELECT value, at, last_value, last_at, flows FROM high_water WHERE profile = ? AND account = ?',
        )
        .get(...owner),
    );
    const proposed = database
      .prepare<[string, string], ProposedRow>(
        'SELECT rule, definition, thread, asked FROM proposed WHERE profile = ? AND account = ?',
      )
      .all(...owner);
    return {
      fired: () => fired,
      mark: () => mark,
      proposed: (rule, definition): ProposedOrder | undefined => {
        const row = proposed.find((one) => one.rule === rule && one.definition === definition);
        return row && { thread: row.thread, asked: row.asked === 1 };
      },
    };
  });
  const remember = database.transaction((states: readonly FiredState[], mark: HighWaterMark | undefined) => {
    rememberFired(database, owner, states);
    forgetTold(database, owner);
    if (mark === undefined) return;
    database
      .prepare(
        `INSERT INTO high_water (profile, account, value, at, last_value, last_at, flows) VALUES (@profile, @account, @value, @at, @last_value, @last_at, @flows)
         ON CONFLICT (profile, account) DO UPDATE SET value = excluded.value, at = excluded.at,
         last_value = excluded.last_value, last_at = excluded.last_at, flows = excluded.flows`,
      )
      .run({ profile, account, ...rowOf(mark) });
  });
  return {
    notices: sqliteNoticeOutbox(database, owner),
    remembered: async () => remembered.deferred(),
    remember: async (states, mark) => remember.immediate(states, mark),
    proposing: async (rule, definition, thread, now) => {
      database
        .prepare(
          'INSERT OR REPLACE INTO proposed (profile, account, rule, definition, thread, asked, at) VALUES (?, ?, ?, ?, ?, 0, ?)',
        )
        .run(...owner, rule, definition, thread, now);
    },
    asked: async (rule, definition) => {
      database
        .prepare(
          'UPDATE proposed SET asked = 1 WHERE profile = ? AND account = ? AND rule = ? AND definition = ?',
        )
        .run(...owner, rule, definition);
    },
  };
}

/** Of thousands of rows few change from one check to the next; only those are written. */
function rememberFired(
  database: Database.Database,
  owner: readonly [string, string],
  states: readonly FiredState[],
): void {
  const key = ({ rule, subject }: FiredState) => `${rule}\n${subject}`;
  const kept = new Map(firedOf(database, owner).map((state) => [key(state), state]));
  const write = database.prepare(
    'INSERT OR REPLACE INTO fired (profile, account, rule, subject, definition, since) VALUES (?, ?, ?, ?, ?, ?)',
  );
  for (const state of states) {
    const { rule, subject, definition, since } = state;
    const before = kept.get(key(state));
    kept.delete(key(state));
    if (before?.definition === definition && before.since === since) continue;
    write.run(...owner, rule, subject, definition, since);
  }
  const forget = database.prepare(
    'DELETE FROM fired WHERE profile = ? AND account = ? AND rule = ? AND subject = ?',
  );
  for (const { rule, subject } of kept.values()) forget.run(...owner, rule, subject);
}

function firedOf(database: Database.Database, owner: readonly [string, string]): FiredState[] {
  return database
    .prepare<[string, string], FiredState>(
      'SELECT rule, subject, definition, since FROM fired WHERE profile = ? AND account = ?',
    )
    .all(...owner);
}

function activityCache(
  database: Database.Database,
  { profile, account }: { readonly profile: string; readonly account: string },
): ActivityCache {
  return {
    get: async () => {
      const row = database
        .prepare<[string, string], { rows: string; whole_at: number }>(
          'SELECT rows, whole_at FROM activities WHERE profile = ? AND account = ?',
        )
        .get(profile, account);
      return row && { activities: JSON.parse(row.rows) as Activity[], wholeAt: row.whole_at };
    },
    put: async (activities, wholeAt) => {
      database
        .prepare('INSERT OR REPLACE INTO activities (profile, account, rows, whole_at) VALUES (?, ?, ?, ?)')
        .run(profile, account, JSON.stringify(activities), wholeAt);
    },
  };
}

function closeCache(database: Database.Database): CloseCache {
  const select = database.prepare<[string], PackedCloses>('SELECT days, closes FROM closes WHERE symbol = ?');
  const selectAll = database.prepare<[string], PackedCloses & { symbol: string }>(
    'SELECT symbol, days, closes FROM closes WHERE symbol IN (SELECT value FROM json_each(?))',
  );
  const upsert = database.prepare(
    'INSERT INTO closes (symbol, days, closes) VALUES (?, ?, ?) ON CONFLICT (symbol) DO UPDATE SET days = excluded.days, closes = excluded.closes',
  );
  return {
    get: async (symbol) => {
      const row = select.get(symbol);
      return row && unpackCloses(row);
    },
    getAll: async (symbols) =>
      new Map(
        selectAll.all(JSON.stringify(symbols)).map(({ symbol, ...row }) => [symbol, unpackCloses(row)]),
      ),
    put: async (symbol, history) => {
      const { days, closes } = packCloses(history);
      upsert.run(symbol, days, closes);
    },
  };
}
