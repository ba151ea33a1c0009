import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { TradeAgentError } from '../trading/errors.ts';

export type StateDatabase = Database.Database;

/** The schema's versions, oldest first; `user_version` counts those applied. Never edit one that was released. */
const migrations: readonly string[] = [
  `
  CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    profile TEXT NOT NULL,
    sub TEXT,
    title TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'running',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    prompt INTEGER NOT NULL,
    tool_call_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    profile TEXT NOT NULL,
    sub TEXT NOT NULL,
    status TEXT NOT NULL,
    draft TEXT NOT NULL,
    digest TEXT NOT NULL,
    code TEXT NOT NULL,
    client_order_id TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL,
    auth_req_id TEXT,
    poll_interval INTEGER,
    asked INTEGER NOT NULL DEFAULT 0,
    sealed_token BLOB,
    token_expires_at INTEGER,
    placed TEXT,
    reason_code TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    UNIQUE (thread, tool_call_id, attempt)
  ) STRICT;
  CREATE INDEX approvals_by_thread ON approvals (thread, prompt);
  `,
];

/**
 * Opens `state.db` (threads, checkpoints, approvals, leases), encrypted with a 32-byte key from the credential store.
 * WAL with `synchronous=FULL`: a committed intent survives a power cut. A file that can't be read is never touched:
 * it may hold an approval whose order is under way.
 * @throws {TradeAgentError} `state_corrupt` for a damaged file, another key, or a newer version's file
 */
export function openStateDatabase(file: string, key: Buffer): StateDatabase {
  if (key.length !== 32) throw new RangeError('the database key must be 32 bytes');
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // SQLite gives -wal and -shm the main file's mode, so the file must be private from its first moment.
  closeSync(openSync(file, 'a', 0o600));
  let database: StateDatabase | undefined;
  try {
    database = new Database(file, { timeout: 5_000 });
    database.pragma(`cipher='sqlcipher'`);
    // The x'…' form is the key itself: no slow derivation, which is for passphrases.
    database.pragma(`key="x'${key.toString('hex')}'"`);
    database.prepare('SELECT count(*) FROM sqlite_master').get();
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    database.pragma('secure_delete = ON');
    migrate(database, file);
    return database;
  } catch (error) {
    database?.close();
    throw readable(error, file);
  }
}

function migrate(database: StateDatabase, file: string): void {
  const version = () => database.pragma('user_version', { simple: true }) as number;
  const found = version();
  if (found > migrations.length) {
    throw new TradeAgentError('state_corrupt', `${file} was written by a newer version of trade-agent`, {
      hint: 'Update trade-agent, or point TRADE_AGENT_HOME at another folder.',
      details: { found, known: migrations.length },
    });
  }
  if (found === migrations.length) return;
  database
    .transaction(() => {
      // Asked again under the lock: another process may have been first.
      for (let next = version(); next < migrations.length; next++) {
        database.exec(migrations[next] as string);
        database.pragma(`user_version = ${next + 1}`);
      }
    })
    .immediate();
}

/** SQLite's errors as the program's own, without a cause: nothing of the key can be in it. */
function readable(error: unknown, file: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return new TradeAgentError(
      'state_corrupt',
      `${file} cannot be read: it is damaged, or its key is another`,
      {
        hint: 'Nothing was changed. Restore the file or its key; or move the file away to start afresh, after checking your orders at the broker.',
      },
    );
  }
  if (code.startsWith('SQLITE_BUSY')) {
    return new TradeAgentError('busy', `${file} is held by another process`, {
      hint: 'Try again in a moment.',
    });
  }
  return error;
}
