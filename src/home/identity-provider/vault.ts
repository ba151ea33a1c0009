import { randomBytes } from 'node:crypto';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { BROKER_SCOPES, createVaultStore, REFRESH_CLAIM_MS, type VaultStore } from '../../store/home/vault-rows.ts';
import type { SqlTransactions } from '../../store/sql/sql-database.ts';
import {
  createThirdPartyClient,
  type ThirdPartyClient,
  type ThirdPartyRequest,
  type TokenResponse,
  type VaultConnection,
  VaultError,
} from './third-party.ts';

export interface VaultOptions {
  readonly database: SqlTransactions;
  /** 32-byte AES-256-GCM key that encrypts the refresh tokens. */
  readonly key: Buffer;
  /** Connections by name. The name is the `audience` of the token exchange. */
  readonly connections: Readonly<Record<string, VaultConnection>>;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}

interface BrokerToken {
  readonly accessToken: string;
  readonly expiresIn: number;
}

interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface VaultAccount {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly connectedAt: number;
}

/** Minimum remaining lifetime for a cached token to be used, in seconds. A token must outlive its request. */
const EXPIRY_MARGIN_S = 60;

export type Vault = ReturnType<typeof createVault>;

/** Creates the vault, which stores users' refresh tokens for third parties and obtains access tokens with them. */
export function createVault(options: VaultOptions) {
  const connectionNamed = (name: string): VaultConnection => {
    const connection = Object.hasOwn(options.connections, name) ? options.connections[name] : undefined;
    if (connection === undefined) {
      throw new VaultError('unknown_connection', `there is no connection named ${JSON.stringify(name)}`);
    }
    return connection;
  };
  const clock = options.clock ?? systemClock;
  const rows = createVaultStore(options.database, options.key);
  const parties = createThirdPartyClient(options.fetch ?? fetch);
  const tokens = accessTokens({ rows, parties, clock, connectionNamed });

  const vault = {
    connections: () =>
      Object.entries(options.connections).map(([name, { label = name, scopes = BROKER_SCOPES }]) => ({
        name,
        label,
        scopes,
      })),
    accounts: async (user: string): Promise<VaultAccount[]> =>
      (await rows.list(user)).map((row) => ({
        connection: row.connection,
        scopes: row.scopes.split(' '),
        connectedAt: row.connected_at,
      })),
    isConnected: async (user: string, connection: string): Promise<boolean> =>
      (await rows.find(user, connection)) !== undefined,
    wasConnected: rows.wasConnected,

    /**
     * Creates an authorization request without storing it.
     * @param asked requested scopes; if empty, all scopes of the connection
     * @throws {VaultError} `unknown_connection`, `invalid_scope`
     */
    newRequest(name: string, asked: readonly string[] = []): ThirdPartyRequest {
      const { scopes: allowed = BROKER_SCOPES } = connectionNamed(name);
      const scopes = asked.length === 0 ? allowed : asked;
      if (!scopes.every((scope) => allowed.includes(scope))) {
        throw new VaultError('invalid_scope', `${JSON.stringify(name)} only supports ${allowed.join(' ')}`);
      }
      return {
        connection: name,
        scopes,
        state: randomBytes(24).toString('base64url'),
        verifier: randomBytes(32).toString('base64url'),
      };
    },

    /** Returns the URL of the third party's page where the person signs in and consents. */
    authorizationUrl: (asked: ThirdPartyRequest): string =>
      parties.authorizationUrl(connectionNamed(asked.connection), asked),

    /** Redeems the code with which the person returned, and stores the refresh token. @throws {VaultError} */
    async redeem(user: string, { connection: name, scopes, verifier }: ThirdPartyRequest, code: string): Promise<void> {
      const connection = connectionNamed(name);
      const given = await parties.tokens(connection, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: connection.redirectUri,
        code_verifier: verifier,
      });
      if (given.refresh_token === undefined) {
        throw new VaultError('not_connected', 'the broker sent no refresh token');
      }
      const granted = given.scope ?? scopes.join(' ');
      const connectedAt = await rows.keep(user, name, given.refresh_token, granted, clock.now());
      tokens.cache(user, name, given, connectedAt);
    },

    /** Allows access on the third party's page on the person's behalf. @returns the code @throws {VaultError} */
    allowAs: async (asked: ThirdPartyRequest, credentials: Credentials): Promise<string> =>
      parties.allow(connectionNamed(asked.connection), asked, credentials),

    /** Connects an account with the user's password, to seed a sandbox. @throws {VaultError} */
    async connect(user: string, name: string, credentials: Credentials): Promise<void> {
      const asked = vault.newRequest(name);
      await vault.redeem(user, asked, await vault.allowAs(asked, credentials));
    },

    /** Returns an access token for a connection. @throws {VaultError} */
    async accessToken(user: string, name: string): Promise<BrokerToken> {
      connectionNamed(name);
      return tokens.get(user, name);
    },

    forget(user: string): void {
      for (const name of Object.keys(options.connections)) tokens.forget(user, name);
    },

    /**
     * Deletes the account immediately, then revokes the consent and all of its tokens at the third party (RFC 7009).
     * @returns false if the third party could not be reached; the remaining tokens expire within minutes
     */
    async disconnect(user: string, name: string): Promise<boolean> {
      const row = await rows.remove(user, name);
      tokens.forget(user, name);
      if (row === undefined) return true;
      return parties.revoke(connectionNamed(name), rows.refreshToken(user, row));
    },
  };
  return vault;
}

/** Interval between attempts to claim a refresh while another process has the claim, and timeout, in milliseconds. */
const CLAIM_INTERVAL_MS = 250;
const CLAIM_TIMEOUT_MS = REFRESH_CLAIM_MS + 5_000;

/** Obtains access tokens, and caches each until shortly before it expires. */
function accessTokens(options: {
  rows: VaultStore;
  parties: ThirdPartyClient;
  clock: Clock;
  connectionNamed: (name: string) => VaultConnection;
}) {
  const { rows, parties, clock, connectionNamed } = options;
  const cached = new Map<string, { token: string; expiresAt: number; connectedAt: number }>();
  const refreshing = new Map<string, Promise<BrokerToken>>();
  const keyOf = (user: string, connection: string) => JSON.stringify([user, connection]);

  const cache = (user: string, name: string, given: TokenResponse, connectedAt: number): BrokerToken => {
    const { access_token: token, expires_in: expiresIn } = given;
    cached.set(keyOf(user, name), { token, expiresAt: clock.now() + expiresIn * 1000, connectedAt });
    return { accessToken: token, expiresIn };
  };

  /** Claims a refresh. Only one process may refresh, because using a refresh token twice ends the connection. */
  const claimed = async (user: string, name: string) => {
    const end = clock.monotonic() + CLAIM_TIMEOUT_MS;
    while (clock.monotonic() < end) {
      const row = await rows.claimRefresh(user, name, clock.now());
      if (row === undefined) {
        throw new VaultError('not_connected', `${user} has not connected an account through ${JSON.stringify(name)}`);
      }
      if (row !== 'busy') return row;
      await clock.sleep(CLAIM_INTERVAL_MS);
    }
    throw new VaultError('broker_unreachable', `another process is refreshing ${JSON.stringify(name)}`);
  };

  const refresh = async (user: string, name: string): Promise<BrokerToken> => {
    const row = await claimed(user, name);
    let given: TokenResponse;
    try {
      const refresh_token = rows.refreshToken(user, row);
      given = await parties.tokens(connectionNamed(name), { grant_type: 'refresh_token', refresh_token });
    } catch (error) {
      const isRefused = error instanceof VaultError && error.refusal === 'reconnect_needed';
      await (isRefused ? rows.removeRefused(user, row) : rows.release(user, row));
      throw error;
    }
    const { refresh_token: refreshToken, scope = row.scopes } = given;
    const scopes = refreshToken === undefined ? row.scopes : scope;
    // If the account was meanwhile disconnected or connected again, this response is for a deleted connection.
    if (!(await rows.refreshed(user, row, { refreshToken, scopes }))) {
      throw new VaultError('not_connected', `${user} has disconnected ${JSON.stringify(name)}`);
    }
    return cache(user, name, given, row.connected_at);
  };

  return {
    cache,
    forget: (user: string, name: string) => {
      cached.delete(keyOf(user, name));
    },
    async get(user: string, name: string): Promise<BrokerToken> {
      const key = keyOf(user, name);
      const token = cached.get(key);
      const left = token === undefined ? 0 : Math.floor((token.expiresAt - clock.now()) / 1000);
      if (token !== undefined && left > EXPIRY_MARGIN_S) {
        // Another process may have disconnected the account, or the person may have connected it again.
        const row = await rows.find(user, name);
        if (row?.connected_at === token.connectedAt) return { accessToken: token.token, expiresIn: left };
      }
      const running = refreshing.get(key);
      if (running !== undefined) return running;
      const started = refresh(user, name).finally(() => refreshing.delete(key));
      refreshing.set(key, started);
      return started;
    },
  };
}
