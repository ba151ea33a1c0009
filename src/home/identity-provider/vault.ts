import { randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { BROKER_SCOPES, openVaultRows, type VaultRows } from '../../store/home/vault-rows.ts';
import {
  type ThirdParties,
  type ThirdPartyRequest,
  type TokenResponse,
  thirdParties,
  type VaultConnection,
  VaultError,
} from './third-party.ts';

export interface VaultOptions {
  readonly database: Database;
  /** 32 bytes: seals the refresh tokens at rest (AES-256-GCM). */
  readonly key: Buffer;
  /** By the connection's name, which is the `audience` of the token exchange. */
  readonly connections: Readonly<Record<string, VaultConnection>>;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
}

interface BrokerToken {
  readonly accessToken: string;
  /** Seconds. */
  readonly expiresIn: number;
}

/** An account a user has connected. Times are milliseconds since the epoch. */
export interface VaultAccount {
  readonly connection: string;
  readonly scopes: readonly string[];
  readonly connectedAt: number;
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
  /** Forgets the access tokens at hand: the next is made anew. */
  forget(user: string): void;
  /**
   * Forgets the account at once, and then ends the consent at the third party (RFC 7009), with every token that came
   * of it.
   * @returns false where the third party could not be told; what is out there ends by itself within minutes
   */
  disconnect(user: string, connection: string): Promise<boolean>;
}

/** Seconds before its expiry at which a cached token is no longer handed out: it must outlive the call it is for. */
const REFRESH_EARLY = 60;
export function createVault(options: VaultOptions): Vault {
  const connectionNamed = (name: string): VaultConnection => {
    const connection = Object.hasOwn(options.connections, name) ? options.connections[name] : undefined;
    if (connection === undefined) {
      throw new VaultError('unknown_connection', `there is no connection named ${JSON.stringify(name)}`);
    }
    return connection;
  };
  const clock = options.clock ?? systemClock;
  const rows = openVaultRows(options.database, options.key);
  const parties = thirdParties(options.fetch ?? fetch);
  const tokens = accessTokens({ rows, parties, clock, connectionNamed });

  const vault: Vault = {
    connections: () =>
      Object.entries(options.connections).map(([name, { label = name, scopes = BROKER_SCOPES }]) => ({
        name,
        label,
        scopes,
      })),
    accounts: (user) =>
      rows.list(user).map((row) => ({
        connection: row.connection,
        scopes: row.scopes.split(' '),
        connectedAt: row.connected_at,
      })),
    isConnected: (user, connection) => rows.find(user, connection) !== undefined,
    wasConnected: (user, connection) => rows.wasConnected(user, connection),

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

    authorizationUrl: (asked) => parties.authorizationUrl(connectionNamed(asked.connection), asked),

    async redeem(user, { connection: name, scopes, verifier }, code) {
      const connection = connectionNamed(name);
      const given = await parties.tokens(connection, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: connection.redirectUri,
        code_verifier: verifier,
      });
      if (given.refresh_token === undefined) {
        throw new VaultError('not_connected', 'the broker gave no refresh token');
      }
      tokens.keep(user, name, given, scopes);
    },

    answerAs: async (asked, credentials, decision) =>
      parties.answer(connectionNamed(asked.connection), asked, credentials, decision),

    async connect(user, name, credentials) {
      const asked = vault.newRequest(name);
      const code = await vault.answerAs(asked, credentials, 'allow');
      if (code !== undefined) await vault.redeem(user, asked, code);
    },

    async accessToken(user, name) {
      connectionNamed(name);
      return tokens.get(user, name);
    },

    forget(user) {
      for (const name of Object.keys(options.connections)) tokens.forget(user, name);
    },

    async disconnect(user, name) {
      const row = rows.find(user, name);
      rows.remove(user, name);
      tokens.forget(user, name);
      if (row === undefined) return true;
      return parties.revoke(connectionNamed(name), rows.refreshToken(user, row));
    },
  };
  return vault;
}

/** Access tokens, each kept until shortly before it expires, and then made anew from the account's refresh token. */
function accessTokens({
  rows,
  parties,
  clock,
  connectionNamed,
}: {
  rows: VaultRows;
  parties: ThirdParties;
  clock: Clock;
  connectionNamed: (name: string) => VaultConnection;
}) {
  const cached = new Map<string, { token: string; expiresAt: number }>();
  const refreshing = new Map<string, Promise<BrokerToken>>();
  const keyOf = (user: string, connection: string) => JSON.stringify([user, connection]);

  const keep = (
    user: string,
    name: string,
    given: TokenResponse,
    granted: readonly string[],
  ): BrokerToken => {
    const { access_token: accessToken, expires_in: expiresIn, refresh_token, scope } = given;
    if (refresh_token !== undefined) {
      rows.keep(user, name, refresh_token, scope ?? granted.join(' '), clock.now());
    }
    cached.set(keyOf(user, name), { token: accessToken, expiresAt: clock.now() + expiresIn * 1000 });
    return { accessToken, expiresIn };
  };

  const refresh = async (user: string, name: string): Promise<BrokerToken> => {
    const row = rows.find(user, name);
    if (row === undefined) {
      throw new VaultError('not_connected', `${user} has no account connected at ${JSON.stringify(name)}`);
    }
    let given: TokenResponse;
    try {
      const refresh_token = rows.refreshToken(user, row);
      given = await parties.tokens(connectionNamed(name), { grant_type: 'refresh_token', refresh_token });
    } catch (error) {
      if (error instanceof VaultError && error.refusal === 'reconnect_needed') rows.remove(user, name);
      throw error;
    }
    // Taken back (or connected anew) while the third party was asked: what it gave then belongs to nothing any more.
    if (rows.find(user, name)?.sealed_refresh_token.equals(row.sealed_refresh_token) !== true) {
      throw new VaultError('not_connected', `${user} has disconnected ${JSON.stringify(name)}`);
    }
    return keep(user, name, given, row.scopes.split(' '));
  };

  return {
    keep,
    forget: (user: string, name: string) => {
      cached.delete(keyOf(user, name));
    },
    async get(user: string, name: string): Promise<BrokerToken> {
      const key = keyOf(user, name);
      const token = cached.get(key);
      const left = token === undefined ? 0 : Math.floor((token.expiresAt - clock.now()) / 1000);
      if (token !== undefined && left > REFRESH_EARLY && rows.find(user, name) !== undefined) {
        return { accessToken: token.token, expiresIn: left };
      }
      // One refresh at a time: the broker rotates refresh tokens, and a second use of one ends the connection.
      const running = refreshing.get(key);
      if (running !== undefined) return running;
      const started = refresh(user, name).finally(() => refreshing.delete(key));
      refreshing.set(key, started);
      return started;
    },
  };
}
