import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { z } from 'zod';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { BROKER_SCOPES, createVaultTables } from './vault-tables.ts';

/** One third party the vault can hold accounts at, as an OAuth 2.0 client of it. */
export interface VaultConnection {
  /** Base URL; its OAuth is at `/oauth/authorize`, `/oauth/token` and `/oauth/revoke`. */
  readonly url: string;
  readonly client: { readonly client_id: string; readonly client_secret: string };
  /** One of its own for each connection: an answer then can't be taken for another third party's (RFC 9700 §4.4). */
  readonly redirectUri: string;
  /** For people; the connection's name unless said otherwise. */
  readonly label?: string;
  /** All that may be asked for there; {@link BROKER_SCOPES} unless said otherwise. */
  readonly scopes?: readonly string[];
}

export interface VaultOptions {
  readonly database: Database;
  /** 32 bytes: seals the refresh tokens at rest (AES-256-GCM). */
  readonly key: Buffer;
  /** By the connection's name, which is the `audience` of the token exchange. */
  readonly connections: Readonly<Record<string, VaultConnection>>;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}

export interface BrokerToken {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** Why the vault has no token: all but the last need the person; that one may pass by itself. */
export type VaultRefusal =
  | 'unknown_connection'
  | 'not_connected'
  | 'reconnect_needed'
  | 'invalid_scope'
  | 'broker_unreachable';

/** Carries no token and no response body. */
export class VaultError extends Error {
  override name = 'VaultError';
  readonly refusal: VaultRefusal;
  constructor(refusal: VaultRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** An account a user has connected. Times are milliseconds since the epoch. */
export interface VaultAccount {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly connectedAt: number;
}

/** An authorization request to a third party (RFC 6749 §4.1.1, RFC 7636). */
export interface ThirdPartyRequest {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly state: string;
  /** PKCE. Secret until the code is redeemed. */
  readonly verifier: string;
}

/** Keeps each user's refresh token at each third party, and hands out access tokens made from it. */
export interface Vault {
  /** What can be connected. */
  connections(): { readonly name: string; readonly label: string; readonly scopes: readonly string[] }[];
  accounts(user: string): VaultAccount[];
  isConnected(user: string, connection: string): boolean;
  /** Whether the user was ever connected there, also where they no longer are. */
  wasConnected(user: string, connection: string): boolean;
  /**
   * A new request. Nothing is kept of it here.
   * @param scopes all of the connection's where there are none
   * @throws {VaultError} `unknown_connection`, `invalid_scope`
   */
  newRequest(connection: string, scopes?: readonly string[]): ThirdPartyRequest;
  /** Where the person signs in at the third party, and is asked. */
  authorizationUrl(request: ThirdPartyRequest): string;
  /** Redeems the code the person came back with, and keeps what it gives. @throws {VaultError} */
  redeem(user: string, request: ThirdPartyRequest, code: string): Promise<void>;
  /**
   * Stands in for the person at the third party: fills in its login and consent form.
   * @returns the code; `undefined` where they refused
   * @throws {VaultError}
   */
  answerAs(
    request: ThirdPartyRequest,
    credentials: { username: string; password: string },
    decision: 'allow' | 'deny',
  ): Promise<string | undefined>;
  /**
   * Connects a user's account by an authorization code flow with PKCE, filling in the third party's own login and
   * consent form on the user's behalf. For seeding a sandbox.
   * @throws {VaultError}
   */
  connect(
    user: string,
    connection: string,
    credentials: { username: string; password: string },
  ): Promise<void>;
  /** @throws {VaultError} */
  accessToken(user: string, connection: string): Promise<BrokerToken>;
  /**
   * Forgets the account at once, and then ends the consent at the third party (RFC 7009), with every token that came
   * of it.
   * @returns false where the third party could not be told; what is out there ends by itself within minutes
   */
  disconnect(user: string, connection: string): Promise<boolean>;
}

/** Seconds before its expiry at which a cached token is no longer handed out: it must outlive the call it is for. */
const REFRESH_EARLY = 60;
/** Milliseconds. */
const TIMEOUT = 10_000;

const tokenResponseSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int().positive(),
  refresh_token: z.string().min(1).optional(),
  scope: z.string().optional(),
});
type TokenResponse = z.output<typeof tokenResponseSchema>;

interface Row {
  sealed_refresh_token: Buffer;
  scopes: string;
  connected_at: number;
}

export function createVault(options: VaultOptions): Vault {
  const { database } = options;
  const clock = options.clock ?? systemClock;
  const request = options.fetch ?? fetch;
  if (options.key.length !== 32) throw new RangeError('the vault key must have 32 bytes');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  createVaultTables(database);
  const select = database.prepare<[string, string], Row>(
    'SELECT * FROM vault_connections WHERE user = ? AND connection = ?',
  );
  const listed = database.prepare<[string], Row & { connection: string }>(
    'SELECT * FROM vault_connections WHERE user = ? ORDER BY connection',
  );
  const upsert = database.prepare(
    `INSERT INTO vault_connections (user, connection, sealed_refresh_token, scopes, connected_at)
     VALUES (@user, @name, @sealed, @scopes, @now)
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

  const cached = new Map<string, { token: string; expiresAt: number }>();
  const refreshing = new Map<string, Promise<BrokerToken>>();
  const keyOf = (user: string, connection: string) => JSON.stringify([user, connection]);

  const connectionNamed = (name: string): VaultConnection => {
    const connection = Object.hasOwn(options.connections, name) ? options.connections[name] : undefined;
    if (connection === undefined) {
      throw new VaultError('unknown_connection', `there is no connection named ${JSON.stringify(name)}`);
    }
    return connection;
  };

  const seal = (text: string, owner: string): Buffer => {
    const iv = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', options.key, iv).setAAD(Buffer.from(owner));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]);
  };
  const unseal = (sealed: Buffer, owner: string): string => {
    // The owner is authenticated too: a row copied to another user doesn't open.
    const decipher = createDecipheriv('aes-256-gcm', options.key, sealed.subarray(0, 12), {
      authTagLength: 16,
    })
      .setAAD(Buffer.from(owner))
      .setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString('utf8');
  };

  const send = async (url: string, body: URLSearchParams): Promise<Response> => {
    try {
      return await request(url, {
        method: 'POST',
        body,
        headers: { accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch {
      throw new VaultError('broker_unreachable', 'the broker did not answer');
    }
  };

  const tokenRequest = async (
    connection: VaultConnection,
    grant: Record<string, string>,
  ): Promise<TokenResponse> => {
    const response = await send(
      `${connection.url}/oauth/token`,
      new URLSearchParams({ ...grant, ...connection.client }),
    );
    if (response.status === 400 || response.status === 401) {
      throw new VaultError('reconnect_needed', 'the broker no longer accepts this connection');
    }
    const parsed = tokenResponseSchema.safeParse(await response.json().catch(() => undefined));
    if (!response.ok || !parsed.success) {
      throw new VaultError(
        'broker_unreachable',
        `the broker's token endpoint gave no usable answer (${response.status})`,
      );
    }
    return parsed.data;
  };

  const keep = (
    user: string,
    name: string,
    tokens: TokenResponse,
    granted: readonly string[],
  ): BrokerToken => {
    const key = keyOf(user, name);
    const scopes = tokens.scope ?? granted.join(' ');
    const { refresh_token } = tokens;
    if (refresh_token !== undefined) {
      database
        .transaction(() => {
          upsert.run({ user, name, sealed: seal(refresh_token, key), scopes, now: clock.now() });
          remember.run(user, name);
        })
        .immediate();
    }
    cached.set(key, { token: tokens.access_token, expiresAt: clock.now() + tokens.expires_in * 1000 });
    return { accessToken: tokens.access_token, expiresIn: tokens.expires_in };
  };

  const refresh = async (user: string, name: string): Promise<BrokerToken> => {
    const connection = connectionNamed(name);
    const row = select.get(user, name);
    if (row === undefined) {
      throw new VaultError('not_connected', `${user} has no account connected at ${JSON.stringify(name)}`);
    }
    let tokens: TokenResponse;
    try {
      const refresh_token = unseal(row.sealed_refresh_token, keyOf(user, name));
      tokens = await tokenRequest(connection, { grant_type: 'refresh_token', refresh_token });
    } catch (error) {
      if (error instanceof VaultError && error.refusal === 'reconnect_needed') remove.run(user, name);
      throw error;
    }
    // Taken back (or connected anew) while the third party was asked: what it gave then belongs to nothing any more.
    if (select.get(user, name)?.sealed_refresh_token.equals(row.sealed_refresh_token) !== true) {
      throw new VaultError('not_connected', `${user} has disconnected ${JSON.stringify(name)}`);
    }
    return keep(user, name, tokens, row.scopes.split(' '));
  };

  const vault: Vault = {
    connections: () =>
      Object.entries(options.connections).map(([name, { label = name, scopes = BROKER_SCOPES }]) => ({
        name,
        label,
        scopes,
      })),
    accounts: (user) =>
      listed.all(user).map((row) => ({
        connection: row.connection,
        scopes: row.scopes.split(' '),
        connectedAt: row.connected_at,
      })),
    isConnected: (user, connection) => select.get(user, connection) !== undefined,
    wasConnected: (user, connection) => known.get(user, connection) !== undefined,

    newRequest(name, asked = []) {
      const { scopes: allowed = BROKER_SCOPES } = connectionNamed(name);
      const scopes = asked.length === 0 ? allowed : asked;
      if (!scopes.every((scope) => allowed.includes(scope))) {
        throw new VaultError('invalid_scope', `${JSON.stringify(name)} takes ${allowed.join(' ')}`);
      }
      return {
        connection: name,
        scopes,
        state: randomBytes(24).toString('base64url'),
        verifier: randomBytes(32).toString('base64url'),
      };
    },

    authorizationUrl({ connection: name, scopes, state, verifier }) {
      const connection = connectionNamed(name);
      const parameters = new URLSearchParams({
        response_type: 'code',
        client_id: connection.client.client_id,
        redirect_uri: connection.redirectUri,
        scope: scopes.join(' '),
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      return `${connection.url}/oauth/authorize?${parameters}`;
    },

    async redeem(user, { connection: name, scopes, verifier }, code) {
      const connection = connectionNamed(name);
      const tokens = await tokenRequest(connection, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: connection.redirectUri,
        code_verifier: verifier,
      });
      if (tokens.refresh_token === undefined) {
        throw new VaultError('not_connected', 'the broker gave no refresh token');
      }
      keep(user, name, tokens, scopes);
    },

    async answerAs(asked, credentials, decision) {
      const url = vault.authorizationUrl(asked);
      const form = new URLSearchParams({ ...credentials, decision });
      const response = await send(url, form);
      const location = URL.parse(response.headers.get('location') ?? '', url);
      const expected = new URL(connectionNamed(asked.connection).redirectUri);
      const isAnswer =
        location !== null &&
        location.origin === expected.origin &&
        location.pathname === expected.pathname &&
        location.searchParams.get('state') === asked.state;
      const code = isAnswer ? location.searchParams.get('code') : null;
      if (isAnswer && code === null && decision === 'deny') return undefined;
      if (!code) {
        throw new VaultError(
          'not_connected',
          `the broker refused to connect ${credentials.username} (${response.status})`,
        );
      }
      return code;
    },

    async connect(user, name, credentials) {
      const asked = vault.newRequest(name);
      const code = await vault.answerAs(asked, credentials, 'allow');
      if (code !== undefined) await vault.redeem(user, asked, code);
    },

    async accessToken(user, name) {
      connectionNamed(name);
      const key = keyOf(user, name);
      const token = cached.get(key);
      const left = token === undefined ? 0 : Math.floor((token.expiresAt - clock.now()) / 1000);
      if (token !== undefined && left > REFRESH_EARLY && select.get(user, name) !== undefined) {
        return { accessToken: token.token, expiresIn: left };
      }
      // One refresh at a time: the broker rotates refresh tokens, and a second use of one ends the connection.
      const running = refreshing.get(key);
      if (running !== undefined) return running;
      const started = refresh(user, name).finally(() => refreshing.delete(key));
      refreshing.set(key, started);
      return started;
    },

    async disconnect(user, name) {
      const row = select.get(user, name);
      remove.run(user, name);
      cached.delete(keyOf(user, name));
      if (row === undefined) return true;
      const connection = connectionNamed(name);
      const token = unseal(row.sealed_refresh_token, keyOf(user, name));
      const response = await send(
        `${connection.url}/oauth/revoke`,
        new URLSearchParams({ token, ...connection.client }),
      ).catch(() => undefined);
      return response?.ok ?? false;
    },
  };
  return vault;
}
