import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Granted, OidcStore } from './oidc-store.ts';

/** A client as a person is told of it; all of it inert text. */
export interface NamedClient {
  /** What it calls itself; nobody has verified it. */
  readonly name: string;
  /** Where it says who it is (CIMD), or else where it is answered: a host, or an app's own scheme. */
  readonly host: string;
}

/** A program that a person has let in by the page that asks. Times are milliseconds since the epoch. */
export interface AuthorizedClient extends NamedClient {
  readonly user: string;
  readonly clientId: string;
  /** Where it was answered, the last time. */
  readonly redirectUri: string;
  readonly since: number;
  /** When it was last given a token, which lives for ten minutes; undefined for one that never was. */
  readonly usedAt: number | undefined;
}

/** Who was let in, and the end of it. */
export type AuthorizedClients = ReturnType<typeof createAuthorizedClients>;

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
export function createAuthorizedClients(
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
      if (known === undefined) clients.set(key, clientOf(row));
      else clients.set(key, { ...known, since: row.at, usedAt: later(known.usedAt, row.used_at) });
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
    /** A token was issued under this grant. */
    used: (grantId: string): void => {
      rows.used.run(now(), grantId);
    },
    /** By which name the grant's tokens go. */
    find(grantId: string): AuthorizedClient | undefined {
      const row = rows.byId.get(grantId);
      return row === undefined ? undefined : clientOf(row);
    },
    /** What stands; the latest first, each client of a person once. @param user everybody's where it is left out */
    list: (user?: string): AuthorizedClient[] => standing(rows.list.all(user ?? null, user ?? null)),
    /**
     * Ends all that a client was given by a person: its tokens at once, whoever calls; what it has open, as soon as the
     * process that serves the home has looked (`endings`). False where it has nothing.
     */
    end: (user: string, clientId: string): boolean => end.immediate(user, clientId),
    /** Takes the endings that nobody has acted on yet; each stays until `tell` has resolved. */
    async endings(tell: (who: Granted) => Promise<void>): Promise<void> {
      for (const { user: sub, client_id: clientId } of rows.allDue.all()) {
        await tell({ sub, clientId });
        rows.done.run(sub, clientId);
      }
    },
  };
}

function later(one: number | undefined, other: number | null): number | undefined {
  return other === null ? one : Math.max(one ?? 0, other);
}

function clientOf(row: Row): AuthorizedClient {
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
    remove: database.prepare<[string, string]>(
      'DELETE FROM authorized_clients WHERE user = ? AND client_id = ?',
    ),
    due: database.prepare<[string, string]>('INSERT OR IGNORE INTO ended_clients VALUES (?, ?)'),
    allDue: database.prepare<[], { user: string; client_id: string }>('SELECT * FROM ended_clients'),
    done: database.prepare<[string, string]>('DELETE FROM ended_clients WHERE user = ? AND client_id = ?'),
    // What has ended in another way: a grant that ran out, or a refresh token that was used twice.
    purge: database.prepare(
      "DELETE FROM authorized_clients WHERE grant_id NOT IN (SELECT id FROM oidc_entities WHERE model = 'Grant')",
    ),
  };
}
