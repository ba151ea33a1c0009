import type { Database } from 'better-sqlite3-multiple-ciphers';
import { openBytes, sealBytes } from '../../secrets/aes-gcm.ts';

/** What a connection may ask for that says nothing else; also what accounts from before scopes were kept have. */
export const BROKER_SCOPES = ['account:write', 'trading'] as const;

/** An account a user has connected, as it is kept. */
export interface VaultRow {
  readonly connection: string;
  readonly scopes: string;
  /** Milliseconds since the epoch. */
  readonly connected_at: number;
  /** Opened by {@link VaultRows.refreshToken}. No two sealings are the same, so it also tells one connecting from the next. */
  readonly sealed_refresh_token: Buffer;
}

/** The accounts users have connected, with their refresh tokens sealed at rest (AES-256-GCM). */
export interface VaultRows {
  find(user: string, connection: string): VaultRow | undefined;
  /** By the connection's name. */
  list(user: string): VaultRow[];
  /** Whether the user was ever connected there. */
  wasConnected(user: string, connection: string): boolean;
  keep(user: string, connection: string, refreshToken: string, scopes: string, now: number): void;
  refreshToken(user: string, row: VaultRow): string;
  remove(user: string, connection: string): void;
}

/** @param key 32 bytes */
export function openVaultRows(database: Database, key: Buffer): VaultRows {
  if (key.length !== 32) throw new RangeError('the vault key must have 32 bytes');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  createTables(database);
  const select = database.prepare<[string, string], VaultRow>(
    'SELECT * FROM vault_connections WHERE user = ? AND connection = ?',
  );
  const listed = database.prepare<[string], VaultRow>(
    'SELECT * FROM vault_connections WHERE user = ? ORDER BY connection',
  );
  const upsert = database.prepare(
    `INSERT INTO vault_connections (user, connection, sealed_refresh_token, scopes, connected_at)
     VALUES (@user, @connection, @sealed, @scopes, @now)
     ON CONFLICT (user, connection) DO UPDATE
     SET sealed_refresh_token = excluded.sealed_refresh_token, scopes = excluded.scopes`,
  );
  const remember = database.prepare<[string, string]>(
    'INSERT OR IGNORE INTO vault_once_connected (user, connection) VALUES (?, ?)',
  );
  const known = database.prepare<[string, string]>(
    'SELECT 1 FROM vault_once_connected WHERE user = ? AND connection = ?',
  );
  const remove = database.prepare<[string, string]>(
    'DELETE FROM vault_connections WHERE user = ? AND connection = ?',
  );
  return {
    find: (user, connection) => select.get(user, connection),
    list: (user) => listed.all(user),
    wasConnected: (user, connection) => known.get(user, connection) !== undefined,
    keep: (user, connection, refreshToken, scopes, now) => {
      const sealed = sealBytes(key, Buffer.from(refreshToken), ownerOf(user, connection));
      database
        .transaction(() => {
          upsert.run({ user, connection, sealed, scopes, now });
          remember.run(user, connection);
        })
        .immediate();
    },
    refreshToken: (user, row) =>
      openBytes(key, row.sealed_refresh_token, ownerOf(user, row.connection)).toString('utf8'),
    remove: (user, connection) => {
      remove.run(user, connection);
    },
  };
}

/** Authenticated with each token: a row copied to another user doesn't open. */
function ownerOf(user: string, connection: string): string {
  return JSON.stringify([user, connection]);
}

/** The vault's tables, brought up to date where they are from before. */
function createTables(database: Database): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS vault_connections (
      user TEXT NOT NULL,
      connection TEXT NOT NULL,
      sealed_refresh_token BLOB NOT NULL,
      connected_at INTEGER NOT NULL,
      PRIMARY KEY (user, connection)
    ) STRICT;
    CREATE TABLE IF NOT EXISTS vault_once_connected (
      user TEXT NOT NULL,
      connection TEXT NOT NULL,
      PRIMARY KEY (user, connection)
    ) STRICT, WITHOUT ROWID;
  `);
  const columns = database.pragma('table_info(vault_connections)') as { name: string }[];
  if (columns.some(({ name }) => name === 'scopes')) return;
  database
    .transaction(() => {
      const scopes = BROKER_SCOPES.join(' ');
      database.exec(`ALTER TABLE vault_connections ADD COLUMN scopes TEXT NOT NULL DEFAULT '${scopes}'`);
      database.exec(
        'INSERT OR IGNORE INTO vault_once_connected SELECT user, connection FROM vault_connections',
      );
    })
    .immediate();
}
