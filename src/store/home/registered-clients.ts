import { createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';

/** A client that a person registered. It may send approval requests only to that person. */
interface RegisteredClient {
  readonly clientId: string;
  readonly owner: string;
  /** The name that the client gave itself, unverified. */
  readonly name: string;
  /** Unverified host of the client's ping endpoint or `client_uri`. */
  readonly host: string | undefined;
  /** Milliseconds since the epoch. */
  readonly registeredAt: number;
}

export interface ClientNote {
  /** One line: the client is unverified, whether it is new (less than seven days old), and which host it claims. */
  readonly text: string;
}

export type RegisteredClientStore = ReturnType<typeof createRegisteredClientStore>;

export interface RegistrationToken {
  readonly digest: string;
  readonly owner: string;
  readonly expiresAt: number;
}

const NEW_CLIENT_MS = 7 * 24 * 3_600_000;
const TOKEN_LIFETIME_MS = 10 * 60_000;

interface Row {
  readonly client_id: string;
  readonly owner: string;
  readonly name: string;
  readonly host: string | null;
  readonly registered_at: number;
}

/** @param now milliseconds since the epoch */
export function createRegisteredClientStore(database: Database, now: () => number) {
  const rows = openTables(database);
  rows.purge.run(now());
  const digest = (token: string) => createHash('sha256').update(token).digest('base64url');
  const clients = {
    add: ({ clientId, owner, name, host }: Omit<RegisteredClient, 'registeredAt'>): void => {
      rows.insert.run(clientId, owner, name, host ?? null, now());
    },
    find: (clientId: string): RegisteredClient | undefined => toClient(rows.byId.get(clientId)),
    /** Returns the clients that this person registered, newest first. */
    list: (owner: string): RegisteredClient[] => rows.byOwner.all(owner).flatMap((row) => toClient(row) ?? []),
    remove: (clientId: string): void => {
      rows.remove.run(clientId);
    },
    /** Returns undefined for the home's own clients, which no person registered. */
    note(clientId: string): ClientNote | undefined {
      const client = clients.find(clientId);
      return client === undefined ? undefined : toClientNote(client, now());
    },
    /** Issues an initial access token (RFC 7591 §3) for registering one client for this person within ten minutes. */
    issueToken(owner: string): { readonly token: string; readonly expiresAt: number } {
      const token = randomBytes(32).toString('base64url');
      const expiresAt = now() + TOKEN_LIFETIME_MS;
      rows.purge.run(now());
      rows.giveBack.run(digest(token), owner, expiresAt);
      return { token, expiresAt };
    },
    /** Redeems a registration token. @returns undefined if the token is unknown, used or expired */
    redeemToken(token: string): RegistrationToken | undefined {
      const taken = rows.take.get(digest(token), now());
      return taken === undefined
        ? undefined
        : { digest: digest(token), owner: taken.owner, expiresAt: taken.expires_at };
    },
    dropTokens: (owner: string): void => {
      rows.dropTokens.run(owner);
    },
    /** Makes a redeemed token valid again, after a failed registration. */
    restoreToken: (token: RegistrationToken): void => {
      rows.giveBack.run(token.digest, token.owner, token.expiresAt);
    },
  };
  return clients;
}

function toClientNote({ host, registeredAt }: RegisteredClient, now: number): ClientNote {
  const isNew = now - registeredAt < NEW_CLIENT_MS;
  const since = new Date(registeredAt).toISOString().slice(0, 10);
  const where = host === undefined ? '' : `, claims to be ${host}`;
  return {
    text: isNew
      ? `New program, unverified${where}. Allowed on ${since}.`
      : `Unverified program${where}. Allowed on ${since}.`,
  };
}

function toClient(row: Row | undefined): RegisteredClient | undefined {
  return (
    row && {
      clientId: row.client_id,
      owner: row.owner,
      name: row.name,
      host: row.host ?? undefined,
      registeredAt: row.registered_at,
    }
  );
}

function openTables(database: Database) {
  return {
    insert: database.prepare<[string, string, string, string | null, number]>(
      'INSERT INTO registered_clients VALUES (?, ?, ?, ?, ?)',
    ),
    byId: database.prepare<[string], Row>('SELECT * FROM registered_clients WHERE client_id = ?'),
    byOwner: database.prepare<[string], Row>(
      'SELECT * FROM registered_clients WHERE owner = ? ORDER BY registered_at DESC, rowid DESC',
    ),
    remove: database.prepare<[string]>('DELETE FROM registered_clients WHERE client_id = ?'),
    take: database.prepare<[string, number], { owner: string; expires_at: number }>(
      'DELETE FROM registration_tokens WHERE digest = ? AND expires_at > ? RETURNING owner, expires_at',
    ),
    giveBack: database.prepare<[string, string, number]>('INSERT INTO registration_tokens VALUES (?, ?, ?)'),
    dropTokens: database.prepare<[string]>('DELETE FROM registration_tokens WHERE owner = ?'),
    purge: database.prepare<[number]>('DELETE FROM registration_tokens WHERE expires_at <= ?'),
  };
}
