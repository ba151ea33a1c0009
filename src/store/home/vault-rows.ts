import { openBytes, sealBytes } from '../../secrets/aes-gcm.ts';
import { all, one, run, type SqlTransactions } from '../sql/sql-database.ts';

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

/** How long a claimed refresh may take, in milliseconds. Must exceed the timeout of a request to the third party. */
export const REFRESH_CLAIM_MS = 15_000;

const COLUMNS = 'connection, scopes, connected_at, sealed_refresh_token';
const IS_OWN = 'username = @user AND connection = @connection';

/** Users' connections to other services. Their refresh tokens are sealed (AES-256-GCM). */
export type VaultStore = ReturnType<typeof createVaultStore>;

/** @param key 32 bytes */
export function createVaultStore(database: SqlTransactions, key: Buffer) {
  if (key.length !== 32) throw new RangeError('the vault key must have 32 bytes');
  const { tenant, now: databaseTime } = database.dialect;
  const seal = (user: string, connection: string, refreshToken: string) =>
    sealBytes(key, Buffer.from(refreshToken), sealContext(user, connection));
  return {
    find: (user: string, connection: string): Promise<VaultRow | undefined> =>
      database.one<VaultRow>(`SELECT ${COLUMNS} FROM vault_connections WHERE ${IS_OWN}`, { user, connection }),
    list: (user: string): Promise<VaultRow[]> =>
      database.all<VaultRow>(`SELECT ${COLUMNS} FROM vault_connections WHERE username = @user ORDER BY connection`, {
        user,
      }),
    async wasConnected(user: string, connection: string): Promise<boolean> {
      const text = `SELECT 1 FROM vault_once_connected WHERE ${IS_OWN}`;
      return (await database.one(text, { user, connection })) !== undefined;
    },
    /**
     * Stores a new connection, or replaces the connection's token and ends a refresh of its old token.
     * @returns when the account was connected
     */
    keep(user: string, connection: string, refreshToken: string, scopes: string, now: number): Promise<number> {
      const values = { user, connection, sealed: seal(user, connection, refreshToken), scopes, now };
      return database.write(function* () {
        const [kept] = yield* all<{ connected_at: number }>(
          `INSERT INTO vault_connections (username, connection, sealed_refresh_token, scopes, connected_at)
           VALUES (@user, @connection, @sealed, @scopes, @now)
           ON CONFLICT (${tenant}username, connection) DO UPDATE
           SET sealed_refresh_token = excluded.sealed_refresh_token, scopes = excluded.scopes, refreshing_until = NULL
           RETURNING connected_at`,
          values,
        );
        yield* run(
          `INSERT INTO vault_once_connected (username, connection) VALUES (@user, @connection) ON CONFLICT DO NOTHING`,
          { user, connection },
        );
        return kept?.connected_at ?? now;
      });
    },
    /**
     * Claims a connection for a refresh, so that only one process at a time uses its refresh token. The claim ends with
     * {@link refreshed}, {@link release} or {@link removeRefused}, or after 15 seconds.
     * @returns `busy` while another process has the claim; undefined if there is no such connection
     */
    claimRefresh: (user: string, connection: string, now: number): Promise<VaultRow | 'busy' | undefined> =>
      database.write(function* () {
        const [claimed] = yield* all<VaultRow>(
          `UPDATE vault_connections SET refreshing_until = ${databaseTime} + ${REFRESH_CLAIM_MS}
           WHERE ${IS_OWN} AND (refreshing_until IS NULL OR refreshing_until <= ${databaseTime}) RETURNING ${COLUMNS}`,
          { user, connection, now },
        );
        if (claimed !== undefined) return claimed;
        const found = yield* one(`SELECT 1 FROM vault_connections WHERE ${IS_OWN}`, { user, connection });
        return found === undefined ? undefined : 'busy';
      }),
    /**
     * Ends a claim after a refresh, and stores the new refresh token, if any.
     * @returns false, with nothing stored, if the connection was removed or replaced in the meantime
     */
    async refreshed(
      user: string,
      { connection, sealed_refresh_token: earlier }: VaultRow,
      given: { readonly refreshToken: string | undefined; readonly scopes: string },
    ): Promise<boolean> {
      const { refreshToken, scopes } = given;
      const sealed = refreshToken === undefined ? earlier : seal(user, connection, refreshToken);
      const text = `UPDATE vault_connections
        SET sealed_refresh_token = @sealed, scopes = @scopes, refreshing_until = NULL
        WHERE ${IS_OWN} AND sealed_refresh_token = @earlier`;
      return (await database.run(text, { user, connection, sealed, scopes, earlier })) === 1;
    },
    /** Ends a claim after a refresh that failed. */
    async release(user: string, { connection, sealed_refresh_token: earlier }: VaultRow): Promise<void> {
      const text = `UPDATE vault_connections SET refreshing_until = NULL
        WHERE ${IS_OWN} AND sealed_refresh_token = @earlier`;
      await database.run(text, { user, connection, earlier });
    },
    /** Removes a connection whose refresh token was refused, unless it was replaced in the meantime. */
    async removeRefused(user: string, { connection, sealed_refresh_token: earlier }: VaultRow): Promise<void> {
      const text = `DELETE FROM vault_connections WHERE ${IS_OWN} AND sealed_refresh_token = @earlier`;
      await database.run(text, { user, connection, earlier });
    },
    refreshToken: (user: string, row: VaultRow): string =>
      openBytes(key, row.sealed_refresh_token, sealContext(user, row.connection)).toString('utf8'),
    /** Removes a connection. @returns the removed connection; undefined if there was none */
    remove: (user: string, connection: string): Promise<VaultRow | undefined> =>
      database.write(() =>
        one<VaultRow>(`DELETE FROM vault_connections WHERE ${IS_OWN} RETURNING ${COLUMNS}`, { user, connection }),
      ),
  };
}

/**
 * Returns the associated data for sealing a token. It includes the user, so that a token copied to another user's row
 * can't be opened.
 */
function sealContext(user: string, connection: string): string {
  return JSON.stringify([user, connection]);
}
