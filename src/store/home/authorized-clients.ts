import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { GrantInfo, OidcStore } from './oidc-store.ts';

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
}

export type AuthorizedClientStore = ReturnType<typeof createAuthorizedClientStore>;

interface Row {
  readonly grant_id: string;
  readonly user: string;
  readonly client_id: string;
  readonly name: string;
  readonly host: string;
  readonly redirect_uri: string;
  readonly at: number;
  readonly used_at: number | null;
}

/** @param now milliseconds since the epoch */
export function createAuthorizedClientStore(
  database: Database,
  store: Pick<OidcStore, 'grant' | 'endGrants'>,
  now: () => number,
) {
  const rows = openTables(database);
  rows.purge.run();
  const standing = (all: readonly Row[]) => {
    const clients = new Map<string, AuthorizedClient>();
    for (const row of all) {
      if (store.grant(row.grant_id) === undefined) continue;
      const key = JSON.stringify([row.user, row.client_id]);
      const known = clients.get(key);
      if (known === undefined) clients.set(key, toClient(row));
      else clients.set(key, { ...known, since: row.at, usedAt: laterTime(known.usedAt, row.used_at) });
    }
    return [...clients.values()];
  };
  const end = database.transaction((user: string, clientId: string) => {
    store.endGrants({ sub: user, clientId });
    const ended = rows.remove.run(user, clientId).changes > 0;
    if (ended) rows.due.run(user, clientId);
    return ended;
  });
  return {
    note: (
      grantId: string,
      { user, clientId, name, host, redirectUri }: Omit<AuthorizedClient, 'since' | 'usedAt'>,
    ): void => {
      rows.insert.run(grantId, user, clientId, name, host, redirectUri, now());
    },
    /** Records that a token was issued under the grant. */
    used: (grantId: string): void => {
      rows.used.run(now(), grantId);
    },
    find(grantId: string): AuthorizedClient | undefined {
      const row = rows.byId.get(grantId);
      return row === undefined ? undefined : toClient(row);
    },
    /**
     * Lists active authorizations, one for each person and client, newest first.
     * @param user the person whose authorizations are listed; if omitted, everyone's are
     */
    list: (user?: string): AuthorizedClient[] => standing(rows.list.all(user ?? null, user ?? null)),
    /**
     * Revokes everything that a person granted a client. The client's tokens become invalid immediately, in all
     * processes. The client's open streams are closed when the server calls `handleRevocations`.
     * @returns false if the client has no grant
     */
    revoke: (user: string, clientId: string): boolean => end.immediate(user, clientId),
    /** Calls `tell` for each pending revocation. A revocation stays pending until its call has resolved. */
    async handleRevocations(tell: (who: GrantInfo) => Promise<void>): Promise<void> {
      for (const { user: sub, client_id: clientId } of rows.allDue.all()) {
        await tell({ sub, clientId });
        rows.done.run(sub, clientId);
      }
    },
  };
}

function laterTime(one: number | undefined, other: number | null): number | undefined {
  return other === null ? one : Math.max(one ?? 0, other);
}

function toClient(row: Row): AuthorizedClient {
  return {
    user: row.user,
    clientId: row.client_id,
    name: row.name,
    host: row.host,
    redirectUri: row.redirect_uri,
    since: row.at,
    usedAt: row.used_at ?? undefined,
  };
}

function openTables(database: Database) {
  return {
    insert: database.prepare<[string, string, string, string, string, string, number]>(
      'INSERT INTO authorized_clients VALUES (?, ?, ?, ?, ?, ?, ?, NULL)',
    ),
    used: database.prepare<[number, string]>('UPDATE authorized_clients SET used_at = ? WHERE grant_id = ?'),
    byId: database.prepare<[string], Row>('SELECT * FROM authorized_clients WHERE grant_id = ?'),
    list: database.prepare<[string | null, string | null], Row>(
      'SELECT * FROM authorized_clients WHERE ? IS NULL OR user = ? ORDER BY at DESC, rowid DESC',
    ),
    remove: database.prepare<[string, string]>('DELETE FROM authorized_clients WHERE user = ? AND client_id = ?'),
    due: database.prepare<[string, string]>('INSERT OR IGNORE INTO ended_clients VALUES (?, ?)'),
    allDue: database.prepare<[], { user: string; client_id: string }>('SELECT * FROM ended_clients'),
    done: database.prepare<[string, string]>('DELETE FROM ended_clients WHERE user = ? AND client_id = ?'),
    // Deletes rows of grants that ended in other ways: the grant expired, or a refresh token was used twice.
    purge: database.prepare(
      "DELETE FROM authorized_clients WHERE grant_id NOT IN (SELECT id FROM oidc_entities WHERE model = 'Grant')",
    ),
  };
}
