import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { z } from 'zod';
import { type Clock, systemClock } from '../../trading/clock.ts';

/** One broker the vault can hold accounts at, as an OAuth 2.0 client of that broker. */
export interface VaultConnection {
  /** Base URL; its OAuth is at `/oauth/authorize` and `/oauth/token`. */
  readonly url: string;
  readonly client: { readonly client_id: string; readonly client_secret: string };
  readonly redirectUri: string;
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

/** Why the vault has no token: the first three need the person, the last may pass by itself. */
export type VaultRefusal = 'unknown_connection' | 'not_connected' | 'reconnect_needed' | 'broker_unreachable';

/** Carries no token and no response body. */
export class VaultError extends Error {
  override name = 'VaultError';
  readonly refusal: VaultRefusal;
  constructor(refusal: VaultRefusal, message: string) {
    super(message);
    this.refusal = refusal;
  }
}

/** Keeps each user's refresh token at each broker, and hands out access tokens made from it. */
export interface Vault {
  isConnected(user: string, connection: string): boolean;
  /**
   * Connects a user's broker account by an authorization code flow with PKCE, filling in the broker's own login and
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
  disconnect(user: string, connection: string): void;
}

/** Seconds before its expiry at which a cached token is no longer handed out: it must outlive the call it is for. */
const REFRESH_EARLY = 60;
/** Milliseconds. */
const TIMEOUT = 10_000;
const SCOPE = 'account:write trading';

const tokenResponseSchema = z.object({
  access_token: z.string().min(1),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.number().int().positive(),
  refresh_token: z.string().min(1).optional(),
});
type TokenResponse = z.output<typeof tokenResponseSchema>;

export function createVault(options: VaultOptions): Vault {
  const { database } = options;
  const clock = options.clock ?? systemClock;
  const request = options.fetch ?? fetch;
  if (options.key.length !== 32) throw new RangeError('the vault key must have 32 bytes');
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec(`
    CREATE TABLE IF NOT EXISTS vault_connections (
      user TEXT NOT NULL,
      connection TEXT NOT NULL,
      sealed_refresh_token BLOB NOT NULL,
      connected_at INTEGER NOT NULL,
      PRIMARY KEY (user, connection)
    ) STRICT;
  `);
  const select = database.prepare<[string, string], { sealed_refresh_token: Buffer }>(
    'SELECT sealed_refresh_token FROM vault_connections WHERE user = ? AND connection = ?',
  );
  const upsert = database.prepare<[string, string, Buffer, number]>(
    `INSERT INTO vault_connections (user, connection, sealed_refresh_token, connected_at) VALUES (?, ?, ?, ?)
     ON CONFLICT (user, connection) DO UPDATE SET sealed_refresh_token = excluded.sealed_refresh_token`,
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

  const keep = (user: string, name: string, tokens: TokenResponse): BrokerToken => {
    const key = keyOf(user, name);
    if (tokens.refresh_token !== undefined) {
      upsert.run(user, name, seal(tokens.refresh_token, key), clock.now());
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
    try {
      const refreshToken = unseal(row.sealed_refresh_token, keyOf(user, name));
      return keep(
        user,
        name,
        await tokenRequest(connection, { grant_type: 'refresh_token', refresh_token: refreshToken }),
      );
    } catch (error) {
      if (error instanceof VaultError && error.refusal === 'reconnect_needed') remove.run(user, name);
      throw error;
    }
  };

  return {
    isConnected: (user, connection) => select.get(user, connection) !== undefined,
    async connect(user, name, credentials) {
      const connection = connectionNamed(name);
      const verifier = randomBytes(32).toString('base64url');
      const state = randomBytes(16).toString('base64url');
      const parameters = {
        response_type: 'code',
        client_id: connection.client.client_id,
        redirect_uri: connection.redirectUri,
        scope: SCOPE,
        state,
        code_challenge: createHash('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      };
      const url = `${connection.url}/oauth/authorize`;
      const response = await send(
        `${url}?${new URLSearchParams(parameters)}`,
        new URLSearchParams({ ...parameters, ...credentials, decision: 'allow' }),
      );
      const location = URL.parse(response.headers.get('location') ?? '', url);
      const code = location?.searchParams.get('code');
      const expected = new URL(connection.redirectUri);
      if (
        location === null ||
        location.origin !== expected.origin ||
        location.pathname !== expected.pathname ||
        location.searchParams.get('state') !== state ||
        !code
      ) {
        throw new VaultError('not_connected', `the broker refused to connect ${user} (${response.status})`);
      }
      const tokens = await tokenRequest(connection, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: connection.redirectUri,
        code_verifier: verifier,
      });
      if (tokens.refresh_token === undefined) {
        throw new VaultError('not_connected', 'the broker gave no refresh token');
      }
      keep(user, name, tokens);
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
    disconnect(user, name) {
      remove.run(user, name);
      cached.delete(keyOf(user, name));
    },
  };
}
