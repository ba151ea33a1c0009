import { createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';

/** A program that a person let in, and that may ask that person alone. */
export interface RegisteredClient {
  readonly clientId: string;
  readonly owner: string;
  /** What it calls itself; unverified. */
  readonly name: string;
  /** Where it says it is at home (its ping endpoint's host, or that of its `client_uri`); unverified. */
  readonly host: string | undefined;
  /** Milliseconds since the epoch. */
  readonly registeredAt: number;
}

/** What the phone is to say of a client that was registered by somebody, beside its name. */
export interface ClientNote {
  /** For one line: that it is new (for seven days), unverified, and where it says it is. */
  readonly text: string;
}

/** Who let which client in, and the tokens by which somebody lets in the next. */
export interface RegisteredClients {
  add(client: Omit<RegisteredClient, 'registeredAt'>): void;
  find(clientId: string): RegisteredClient | undefined;
  /** Newest first. */
  list(owner: string): RegisteredClient[];
  remove(clientId: string): void;
  /** Undefined for a client that nobody registered: the home's own. */
  note(clientId: string): ClientNote | undefined;
  /** An initial access token (RFC 7591 §3): lets one client in, for this person, within ten minutes. */
  issueToken(owner: string): { readonly token: string; readonly expiresAt: number };
  /** Uses a token up. @returns whose it was; undefined for one that is unknown, used or over */
  takeToken(token: string): RegistrationToken | undefined;
  /** Forgets the tokens that a person was given. */
  dropTokens(owner: string): void;
  /** Gives a token back that let nothing in. */
  giveBack(token: RegistrationToken): void;
}

/** A token that was taken; only its digest is known. */
export interface RegistrationToken {
  readonly digest: string;
  readonly owner: string;
  readonly expiresAt: number;
}

const NEW_FOR_MS = 7 * 24 * 3_600_000;
const TOKEN_MS = 10 * 60_000;

interface Row {
  readonly client_id: string;
  readonly owner: string;
  readonly name: string;
  readonly host: string | null;
  readonly registered_at: number;
}

/** @param now milliseconds since the epoch */
export function createRegisteredClients(database: Database, now: () => number): RegisteredClients {
  const rows = openTables(database);
  rows.purge.run(now());
  const digest = (token: string) => createHash('sha256').update(token).digest('base64url');
  const clients: RegisteredClients = {
    add: ({ clientId, owner, name, host }) => {
      rows.insert.run(clientId, owner, name, host ?? null, now());
    },
    find: (clientId) => clientOf(rows.byId.get(clientId)),
    list: (owner) => rows.byOwner.all(owner).flatMap((row) => clientOf(row) ?? []),
    remove: (clientId) => {
      rows.remove.run(clientId);
    },
    note(clientId) {
      const client = clients.find(clientId);
      return client === undefined ? undefined : noteOf(client, now());
    },
    issueToken(owner) {
      const token = randomBytes(32).toString('base64url');
      const expiresAt = now() + TOKEN_MS;
      rows.purge.run(now());
      rows.giveBack.run(digest(token), owner, expiresAt);
      return { token, expiresAt };
    },
    takeToken(token) {
      const taken = rows.take.get(digest(token), now());
      return taken === undefined
        ? undefined
        : { digest: digest(token), owner: taken.owner, expiresAt: taken.expires_at };
    },
    dropTokens: (owner) => {
      rows.dropTokens.run(owner);
    },
    giveBack: (token) => {
      rows.giveBack.run(token.digest, token.owner, token.expiresAt);
    },
  };
  return clients;
}

function noteOf({ host, registeredAt }: RegisteredClient, now: number): ClientNote {
  const isNew = now - registeredAt < NEW_FOR_MS;
  const since = new Date(registeredAt).toISOString().slice(0, 10);
  const where = host === undefined ? '' : `, says it is at ${host}`;
  return {
    text: isNew
      ? `New program, unverified${where}. Let in on ${since}.`
      : `Unverified program${where}. Let in on ${since}.`,
  };
}

function clientOf(row: Row | undefined): RegisteredClient | undefined {
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
  database.exec(`
    CREATE TABLE IF NOT EXISTS registered_clients (
      client_id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, host TEXT, registered_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS registered_clients_owner ON registered_clients (owner);
    CREATE TABLE IF NOT EXISTS registration_tokens (
      digest TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at INTEGER NOT NULL
    ) STRICT;
  `);
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
