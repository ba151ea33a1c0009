import { createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import {
  type ConnectionOutcome,
  type ConnectionRequestRow,
  openConnectionRequestTable,
} from './connection-request-table.ts';
import type { ThirdPartyRequest } from './third-party.ts';
import type { Vault } from './vault.ts';
import { VaultError } from './vault-error.ts';

/** Who wishes to connect an account, as the person is told. */
export interface Asker {
  /** By the token that asked. */
  readonly client: string;
  /** What the device calls itself; unverified. */
  readonly device: string | undefined;
}

/** One wish to connect an account, as the person's pages see it. */
export interface ConnectionRequest {
  /** Who asked, and the only one who may say yes. */
  readonly user: string;
  readonly asker: Asker;
  readonly connection: string;
  readonly label: string;
  readonly scopes: readonly string[];
  /** Where the person signs in at the third party. */
  readonly authorizationUrl: string;
  readonly status: 'open' | 'expired' | ConnectionOutcome;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface StartedRequest {
  /** In the address the person opens. Worth nothing without a sign-in as the one who asked. */
  readonly ticket: string;
  /** For whoever asked, to learn how it ends. */
  readonly authSession: string;
  readonly expiresAt: number;
}

/** Connecting an account (authorization code with PKCE and state), from the wish to the refresh token in the vault. */
export interface ConnectionRequests {
  /** @throws {VaultError} `unknown_connection`, `invalid_scope` */
  start(user: string, asker: Asker, connection: string, scopes: readonly string[]): StartedRequest;
  byTicket(ticket: string): ConnectionRequest | undefined;
  /** How the request behind an auth session stands, for the user who started it. */
  byAuthSession(authSession: string, user: string): ConnectionRequest | undefined;
  /**
   * The person is back from the third party. `user` is who is signed in here: anyone else than the one who asked is
   * refused, since a link sent to somebody would otherwise connect their account to the sender's (RFC 9700 §4.7).
   * @returns undefined for an answer that belongs to no open request of this user
   */
  finish(answer: {
    user: string;
    connection: string;
    state: string;
    code: string | undefined;
    denied: boolean;
  }): Promise<ConnectionRequest | undefined>;
  /** Stands in for the person's browser. @throws {VaultError} */
  answerAs(
    ticket: string,
    user: string,
    password: string,
    decision: 'allow' | 'deny',
  ): Promise<ConnectionRequest | undefined>;
}

/** Time enough to find a password. */
const LIFE_MS = 10 * 60_000;

/** Kept in SQLite, so that a person may come back after a restart; ticket and auth session as digests only. */
export function createConnectionRequests(options: {
  database: Database;
  vault: Vault;
  clock: Clock;
}): ConnectionRequests {
  const { database, vault, clock } = options;
  const rows = openConnectionRequestTable(database);

  const digest = (secret: string) => createHash('sha256').update(secret).digest('base64url');
  const asked = (row: ConnectionRequestRow): ThirdPartyRequest => ({
    connection: row.connection,
    scopes: row.scopes.split(' '),
    state: row.state,
    verifier: row.verifier,
  });
  const view = (row: ConnectionRequestRow | undefined): ConnectionRequest | undefined => {
    const known = vault.connections().find(({ name }) => name === row?.connection);
    if (row === undefined || known === undefined) return undefined;
    return {
      user: row.user,
      asker: { client: row.client, device: row.device ?? undefined },
      connection: row.connection,
      label: known.label,
      scopes: row.scopes.split(' '),
      authorizationUrl: vault.authorizationUrl(asked(row)),
      status: row.outcome ?? (row.expires_at <= clock.now() ? 'expired' : 'open'),
      expiresAt: row.expires_at,
    };
  };

  const redeemed = async (
    row: ConnectionRequestRow,
    code: string | undefined,
  ): Promise<ConnectionOutcome> => {
    if (code === undefined) return 'failed';
    try {
      await vault.redeem(row.user, asked(row), code);
      return 'connected';
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      return 'failed';
    }
  };

  const requests: ConnectionRequests = {
    start(user, asker, connection, scopes) {
      const request = vault.newRequest(connection, scopes);
      // A letter first: it is typed as an argument, and must not look like an option.
      const ticket = `c${randomBytes(24).toString('base64url')}`;
      const authSession = randomBytes(32).toString('base64url');
      const expiresAt = clock.now() + LIFE_MS;
      rows.forget.run(clock.now() - LIFE_MS);
      rows.insert.run({
        ticket: digest(ticket),
        authSession: digest(authSession),
        user,
        client: asker.client,
        device: asker.device ?? null,
        connection,
        scopes: request.scopes.join(' '),
        state: request.state,
        verifier: request.verifier,
        expiresAt,
      });
      return { ticket, authSession, expiresAt };
    },
    byTicket: (ticket) => view(rows.byTicket.get(digest(ticket))),
    byAuthSession(authSession, user) {
      const row = rows.byAuthSession.get(digest(authSession));
      return row?.user === user ? view(row) : undefined;
    },
    async finish({ user, connection, state, code, denied }) {
      const row = rows.byState.get(state);
      if (row === undefined || row.user !== user || row.connection !== connection) return undefined;
      if (rows.claim.run(row.ticket, clock.now()).changes !== 1) return undefined;
      rows.settle.run(denied ? 'denied' : await redeemed(row, code), row.ticket);
      return view(rows.byTicket.get(row.ticket));
    },
    async answerAs(ticket, user, password, decision) {
      const row = rows.byTicket.get(digest(ticket));
      if (row === undefined || row.user !== user || view(row)?.status !== 'open') return undefined;
      const code = await vault.answerAs(asked(row), { username: user, password }, decision);
      const { connection, state } = row;
      return requests.finish({ user, connection, state, code, denied: code === undefined });
    },
  };
  return requests;
}
