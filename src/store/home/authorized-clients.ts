import { run, type SqlTransactions, type TransactionWork } from '../sql/sql-database.ts';
import { endGrants, type GrantInfo } from './oidc-store.ts';

/** A client's name and host. Both are safe to display. */
export interface NamedClient {
  /** The name that the client gave itself, unverified. */
  readonly name: string;
  /** Host of the client's metadata document (CIMD), or else of its redirect URI, which may have a custom URI scheme. */
  readonly host: string;
}

/** A client that a person authorized on the consent page. Times are milliseconds since the epoch. */
export interface AuthorizedClient extends NamedClient {
  readonly user: string;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly since: number;
  /** Time when the client's latest token (valid for ten minutes) was issued. Undefined if none was issued. */
  readonly usedAt: number | undefined;
  /** Time when the client's access ends. */
  readonly endsAt: number | undefined;
}

export type AuthorizedClientStore = ReturnType<typeof createAuthorizedClientStore>;

interface Row {
  readonly username: string;
  readonly client_id: string;
  readonly name: string;
  readonly host: string;
  readonly redirect_uri: string;
  readonly at: number;
  readonly used_at: number | null;
  /** Seconds since the epoch, like all times that the library stores. */
  readonly expires_at?: number | null;
}

/** @param now milliseconds since the epoch */
export function createAuthorizedClientStore(database: SqlTransactions, now: () => number) {
  const { dialect } = database;
  return {
    note: (
      grantId: string,
      { user, clientId, name, host, redirectUri }: Omit<AuthorizedClient, 'since' | 'usedAt' | 'endsAt'>,
    ): Promise<void> =>
      database.write(function* () {
        // Deletes rows of grants that ended in other ways: the grant expired, or a refresh token was used twice.
        yield* run(
          `DELETE FROM authorized_clients WHERE grant_id IN (SELECT grant_id FROM authorized_clients
             WHERE grant_id NOT IN (SELECT id FROM oidc_entities WHERE model = 'Grant')${dialect.skipLocked})`,
        );
        yield* run(
          `INSERT INTO authorized_clients (grant_id, username, client_id, name, host, redirect_uri, at)
           VALUES (@grantId, @user, @clientId, @name, @host, @redirectUri, @now)`,
          { grantId, user, clientId, name, host, redirectUri, now: now() },
        );
      }),
    /** Records that a token was issued under the grant. */
    used: async (grantId: string): Promise<void> =>
      void (await database.run('UPDATE authorized_clients SET used_at = @now WHERE grant_id = @grantId', {
        grantId,
        now: now(),
      })),
    async find(grantId: string): Promise<AuthorizedClient | undefined> {
      const row = await database.one<Row>('SELECT * FROM authorized_clients WHERE grant_id = @grantId', { grantId });
      return row === undefined ? undefined : toClient(row);
    },
    /**
     * Lists active authorizations, one for each person and client, newest first.
     * @param user the person whose authorizations are listed; if omitted, everyone's are
     */
    async list(user?: string): Promise<AuthorizedClient[]> {
      const rows = await database.all<Row>(
        `SELECT clients.*, grants.expires_at FROM authorized_clients AS clients
         JOIN oidc_entities AS grants ON grants.model = 'Grant' AND grants.id = clients.grant_id
         WHERE CAST(@user AS text) IS NULL OR clients.username = @user
         ORDER BY clients.at DESC, clients.${dialect.place} DESC`,
        { user: user ?? null },
      );
      return mergeByClient(rows);
    },
    /**
     * Revokes everything that a person granted a client. The client's tokens become invalid immediately, in all
     * processes. The client's open streams end when the server calls `handleRevocations`.
     * @returns false if the client has no grant
     */
    revoke: (user: string, clientId: string): Promise<boolean> =>
      database.write(function* () {
        yield* endGrants(dialect, { sub: user, clientId });
        const removed = yield* run('DELETE FROM authorized_clients WHERE username = @user AND client_id = @clientId', {
          user,
          clientId,
        });
        if (removed === 0) return false;
        yield* recordEndedClient(user, clientId);
        return true;
      }),
    /**
     * Calls `endAccess` for each pending revocation. A revocation stays pending until its call has resolved. Several
     * processes may make the same call, so it must be idempotent.
     */
    async handleRevocations(endAccess: (who: GrantInfo) => Promise<void>): Promise<void> {
      const ended = await database.all<Pick<Row, 'username' | 'client_id'>>(
        'SELECT username, client_id FROM ended_clients',
      );
      for (const { username: sub, client_id: clientId } of ended) {
        await endAccess({ sub, clientId });
        await database.run('DELETE FROM ended_clients WHERE username = @sub AND client_id = @clientId', {
          sub,
          clientId,
        });
      }
    },
  };
}

/** Records that a client lost its access, so that `handleRevocations` ends the client's open streams and requests. */
export function* recordEndedClient(user: string, clientId: string): TransactionWork<void> {
  yield* run('INSERT INTO ended_clients (username, client_id) VALUES (@user, @clientId) ON CONFLICT DO NOTHING', {
    user,
    clientId,
  });
}

/** @param rows newest first */
function mergeByClient(rows: readonly Row[]): AuthorizedClient[] {
  const clients = new Map<string, AuthorizedClient>();
  for (const row of rows) {
    const key = JSON.stringify([row.username, row.client_id]);
    const known = clients.get(key);
    if (known === undefined) clients.set(key, toClient(row));
    else clients.set(key, { ...known, since: row.at, usedAt: laterTime(known.usedAt, row.used_at) });
  }
  return [...clients.values()];
}

function laterTime(one: number | undefined, other: number | null): number | undefined {
  return other === null ? one : Math.max(one ?? 0, other);
}

function toClient(row: Row): AuthorizedClient {
  return {
    user: row.username,
    clientId: row.client_id,
    name: row.name,
    host: row.host,
    redirectUri: row.redirect_uri,
    since: row.at,
    usedAt: row.used_at ?? undefined,
    endsAt: row.expires_at == null ? undefined : row.expires_at * 1000,
  };
}
