import type { Database } from 'better-sqlite3-multiple-ciphers';
import { openBytes, sealBytes } from '../../secrets/aes-gcm.ts';

export const BROKER_SCOPES = ['account:write', 'trading'] as const;

interface VaultRow {
  readonly connection: string;
  readonly scopes: string;
  /** Milliseconds since the epoch. */
  readonly connected_at: number;
  /**
   * Decrypted by {@link VaultStore.refreshToken}. Sealing the same token again gives a different value, so a changed
   * value shows that the connection was replaced.
   */
  readonly sealed_refresh_token: Buffer;
}

/** Users' connections to other services. Their refresh tokens are sealed (AES-256-GCM). */
export type VaultStore = ReturnType<typeof createVaultStore>;

/** @param key 32 bytes */
export function createVaultStore(database: Database, key: Buffer) {
  if (key.length !== 32) throw new RangeError('the vault key must have 32 bytes');
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
  const remove = database.prepare<[string, string]>('DELETE FROM vault_connections WHERE user = ? AND connection = ?');
  return {
    find: (user: string, connection: string): VaultRow | undefined => select.get(user, connection),
    list: (user: string): VaultRow[] => listed.all(user),
    wasConnected: (user: string, connection: string): boolean => known.get(user, connection) !== undefined,
    keep: (user: string, connection: string, refreshToken: string, scopes: string, now: number): void => {
      const sealed = sealBytes(key, Buffer.from(refreshToken), sealContext(user, connection));
      database
        .transaction(() => {
          upsert.run({ user, connection, sealed, scopes, now });
          remember.run(user, connection);
        })
        .immediate();
    },
    refreshToken: (user: string, row: VaultRow): string =>
      openBytes(key, row.sealed_refresh_token, sealContext(user, row.connection)).toString('utf8'),
    remove: (user: string, connection: string): void => {
      remove.run(user, connection);
    },
  };
}

/**
 * Returns the associated data for sealing a token. It includes the user, so that a token copied to another user's row
 * can't be opened.
 */
function sealContext(user: string, connection: string): string {
  return JSON.stringify([user, connection]);
}
