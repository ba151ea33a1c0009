import { createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';

/** A program that a person let in, and that may ask that person alone. */
interface RegisteredClient {
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
export type RegisteredClients = ReturnType<typeof createRegisteredClients>;

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
export function createRegisteredClients(database: Database, now: () => number) {
  const rows = openTables(database);
  rows.purge.run(now());
  const digest = (token: string) => createHash('sha256').update(token).digest('base64url');
  const clients = {
    add: ({ clientId, owner, name, host }: Omit<RegisteredClient, 'registeredAt'>): void => {
      rows.insert.run(clientId, owner, name, host ?? null, now());
    },
    find: (clientId: string): RegisteredClient | undefined => clientOf(rows.byId.get(clientId)),
    /** Newest first. */
    list: (owner: string): RegisteredClient[] =>
      rows.byOwner.all(owner).flatMap((row) => clientOf(row) ?? []),
    remove: (clientId: string): void => {
      rows.remove.run(clientId);
    },
    /** Undefined for a client that nobody registered: the home's own. */
    note(clientId: string): ClientNote | undefined {
      const client = clients.find(clientId);
      return client === undefined ? undefined : noteOf(client, now());
    },
    /** An initial access token (RFC 7591 §3): lets one client in, for this person, within ten minutes. */
    issueToken(owner: string): { readonly token: string; readonly expiresAt: number } {
      const token = randomBytes(32).toString('base64url');
      const expiresAt = now() + TOKEN_MS;
      rows.purge.run(now());
      rows.giveBack.run(digest(token), owner, expiresAt);
      return { token, expiresAt };
    },
    /** Uses a token up. @returns whose it was; undefined for one that is unknown, used or over */
    takeToken(token: string): RegistrationToken | undefined {
      const taken = rows.take.get(digest(token), now());
      return taken === undefined
        ? undefined
        : { digest: digest(token), owner: taken.owner, expiresAt: taken.expires_at };
    },
    /** Forgets the tokens that a person was given. */
    dropTokens: (owner: string): void => {
      rows.dropTokens.run(owner);
    },
    /** Gives a token back that let nothing in. */
    giveBack: (token: RegistrationToken): void => {
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
