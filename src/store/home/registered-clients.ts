import { createHash, randomBytes } from 'node:crypto';
import { errors } from 'oidc-provider';
import { all, lock, one, run, type SqlTransactions, type TransactionWork } from '../sql/sql-database.ts';
import { recordEndedClient } from './authorized-clients.ts';
import { endGrants, forgetClient } from './oidc-store.ts';

/** A client that a person registered. It may send approval requests only to that person. */
interface RegisteredClient {
  readonly clientId: string;
  readonly owner: string;
  /** The name that the client gave itself, unverified. */
  readonly name: string;
  /** Unverified host of the client's ping endpoint or `client_uri`. */
  readonly host: string | undefined;
  /** Milliseconds since the epoch. All times in this interface use this unit. */
  readonly registeredAt: number;
  /** When the client's access ends, as its owner signed. */
  readonly endsAt: number;
  /** When the client last sent a request to its owner. */
  readonly usedAt: number | undefined;
}

export interface ClientNote {
  /** One line: that the client is unverified, whether it is less than seven days old, and which host it claims. */
  readonly text: string;
}

export type RegisteredClientStore = ReturnType<typeof createRegisteredClientStore>;

export interface RegistrationToken {
  readonly digest: string;
  readonly owner: string;
  readonly expiresAt: number;
  /** When access ends for the client that registers with the token. */
  readonly clientEndsAt: number;
}

const NEW_CLIENT_MS = 7 * 24 * 3_600_000;
const TOKEN_LIFETIME_MS = 10 * 60_000;

interface Row {
  readonly client_id: string;
  readonly owner: string;
  readonly name: string;
  readonly host: string | null;
  readonly registered_at: number;
  readonly ends_at: number;
  readonly used_at: number | null;
}

/** @param now milliseconds since the epoch */
export function createRegisteredClientStore(database: SqlTransactions, now: () => number) {
  const { dialect } = database;
  const digest = (token: string) => createHash('sha256').update(token).digest('base64url');
  const clients = {
    /**
     * Stores a client's owner. If the owner has the maximum number of clients, the clients whose access has ended are
     * removed first. @returns false, with nothing stored, if none has ended
     */
    add: (
      { clientId, owner, name, host, endsAt }: Omit<RegisteredClient, 'registeredAt' | 'usedAt'>,
      { most }: { readonly most: number },
    ): Promise<boolean> =>
      database.write(function* () {
        // Without the lock, two processes could each count before the other has added its client.
        yield* lock('registered clients', owner);
        const known = yield* one<{ n: number }>('SELECT count(*) AS n FROM registered_clients WHERE owner = @owner', {
          owner,
        });
        if ((known?.n ?? 0) >= most && !(yield* removeEnded(owner, now()))) return false;
        yield* run(
          `INSERT INTO registered_clients (client_id, owner, name, host, registered_at, ends_at)
           VALUES (@clientId, @owner, @name, @host, @now, @endsAt)`,
          { clientId, owner, name, host: host ?? null, now: now(), endsAt },
        );
        return true;
      }),
    find: async (clientId: string): Promise<RegisteredClient | undefined> => {
      const row = await database.one<Row>('SELECT * FROM registered_clients WHERE client_id = @clientId', {
        clientId,
      });
      return row && toClient(row);
    },
    /** @throws {errors.InvalidClient} if a person registered the client, and its access has ended */
    async requireNotEnded(clientId: string): Promise<void> {
      const client = await clients.find(clientId);
      if (client === undefined || client.endsAt > now()) return;
      const end = new Date(client.endsAt).toISOString().slice(0, 10);
      throw new errors.InvalidClient(
        `this client’s access ended on ${end}; register again with a new registration token from its owner`,
      );
    },
    /** Records that the client sent a request to its owner. */
    used: async (clientId: string): Promise<void> =>
      void (await database.run('UPDATE registered_clients SET used_at = @now WHERE client_id = @clientId', {
        clientId,
        now: now(),
      })),
    /** Returns registered clients, newest first. @param owner who registered them; if omitted, anyone */
    list: async (owner?: string): Promise<RegisteredClient[]> => {
      const rows = await database.all<Row>(
        `SELECT * FROM registered_clients WHERE CAST(@owner AS text) IS NULL OR owner = @owner
         ORDER BY registered_at DESC, ${dialect.place} DESC`,
        { owner: owner ?? null },
      );
      return rows.map(toClient);
    },
    /**
     * Removes a client and the owner's grants to it. Its requests end when the home calls `handleRevocations`.
     * @returns false if another person registered the client
     */
    remove: (owner: string, clientId: string): Promise<boolean> =>
      database.write(function* () {
        const removed = yield* run('DELETE FROM registered_clients WHERE client_id = @clientId AND owner = @owner', {
          clientId,
          owner,
        });
        if (removed === 0) return false;
        yield* forgetClient(clientId);
        yield* endGrants(dialect, { sub: owner, clientId });
        yield* recordEndedClient(owner, clientId);
        return true;
      }),
    /** Removes all clients and registration tokens of this person. */
    removeAll: (owner: string): Promise<void> =>
      database.write(function* () {
        const removed = yield* all<{ client_id: string }>(
          'DELETE FROM registered_clients WHERE owner = @owner RETURNING client_id',
          { owner },
        );
        for (const { client_id: clientId } of removed) yield* forgetClient(clientId);
        yield* run('DELETE FROM registration_tokens WHERE owner = @owner', { owner });
      }),
    /** Returns the note about a client. Undefined for the home's own clients, which no person registered. */
    async note(clientId: string): Promise<ClientNote | undefined> {
      const client = await clients.find(clientId);
      return client === undefined ? undefined : toClientNote(client, now());
    },
    /** Issues an initial access token (RFC 7591 §3) for registering one client for this person within ten minutes. */
    async issueToken(
      owner: string,
      clientEndsAt: number,
    ): Promise<{ readonly token: string; readonly expiresAt: number }> {
      const token = randomBytes(32).toString('base64url');
      const expiresAt = now() + TOKEN_LIFETIME_MS;
      await database.write(function* () {
        yield* run(
          `DELETE FROM registration_tokens WHERE digest IN
             (SELECT digest FROM registration_tokens WHERE expires_at <= @now${dialect.skipLocked})`,
          { now: now() },
        );
        yield* storeToken({ digest: digest(token), owner, expiresAt, clientEndsAt });
      });
      return { token, expiresAt };
    },
    /** Redeems a registration token. @returns undefined if the token is unknown, used or expired */
    async redeemToken(token: string): Promise<RegistrationToken | undefined> {
      const [taken] = await database.write(() =>
        all<RegistrationToken>(
          `DELETE FROM registration_tokens WHERE digest = @digest AND expires_at > @now
           RETURNING digest, owner, expires_at AS "expiresAt", client_ends_at AS "clientEndsAt"`,
          { digest: digest(token), now: now() },
        ),
      );
      return taken;
    },
    /** Makes a redeemed token valid again, after a failed registration. */
    restoreToken: (token: RegistrationToken): Promise<void> => database.write(() => storeToken(token)),
  };
  return clients;
}

/** Removes the person's clients whose access has ended. @returns whether there was one */
function* removeEnded(owner: string, now: number): TransactionWork<boolean> {
  const ended = yield* all<{ client_id: string }>(
    'DELETE FROM registered_clients WHERE owner = @owner AND ends_at <= @now RETURNING client_id',
    { owner, now },
  );
  for (const { client_id: clientId } of ended) yield* forgetClient(clientId);
  return ended.length > 0;
}

function* storeToken(token: RegistrationToken): TransactionWork<void> {
  yield* run(
    `INSERT INTO registration_tokens (digest, owner, expires_at, client_ends_at)
     VALUES (@digest, @owner, @expiresAt, @clientEndsAt) ON CONFLICT DO NOTHING`,
    { ...token },
  );
}

function toClientNote({ host, registeredAt }: RegisteredClient, now: number): ClientNote {
  const isNew = now - registeredAt < NEW_CLIENT_MS;
  const since = new Date(registeredAt).toISOString().slice(0, 10);
  const where = host === undefined ? '' : `, claims to be ${host}`;
  return {
    text: isNew ? `New app, unverified${where}. Allowed on ${since}.` : `Unverified app${where}. Allowed on ${since}.`,
  };
}

function toClient(row: Row): RegisteredClient {
  return {
    clientId: row.client_id,
    owner: row.owner,
    name: row.name,
    host: row.host ?? undefined,
    registeredAt: row.registered_at,
    endsAt: row.ends_at,
    usedAt: row.used_at ?? undefined,
  };
}
