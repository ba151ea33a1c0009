import { createHash, randomBytes } from 'node:crypto';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../machine/clock.ts';
import { type ThirdPartyRequest, VaultError } from './third-party.ts';
import type { Vault } from './vault.ts';

interface Requester {
  readonly client: string;
  /** Name that the device gave itself. Unverified. */
  readonly device: string | undefined;
}

export interface ConnectionRequest {
  /** The person who started the request, and the only person who may complete it. */
  readonly user: string;
  readonly asker: Requester;
  readonly connection: string;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly authorizationUrl: string;
  readonly status: 'open' | 'expired' | ConnectionOutcome;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface StartedRequest {
  /** Part of the address that the person opens. Useless to anyone who is not signed in as the same person. */
  readonly ticket: string;
  /** Secret that the client sends when it polls for the outcome. */
  readonly authSession: string;
  readonly expiresAt: number;
}

export type ConnectionRequests = ReturnType<typeof createConnectionRequests>;

/** Lifetime of a request. It is long enough to look up a password. */
const LIFETIME_MS = 10 * 60_000;

/** Stores the requests in SQLite, so that a person may return after a restart. */
export function createConnectionRequests(options: { database: Database; vault: Vault; clock: Clock }) {
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

  const redeemed = async (row: ConnectionRequestRow, code: string | undefined): Promise<ConnectionOutcome> => {
    if (code === undefined) return 'failed';
    try {
      await vault.redeem(row.user, asked(row), code);
      return 'connected';
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      return 'failed';
    }
  };

  const requests = {
    /** @throws {VaultError} `unknown_connection`, `invalid_scope` */
    start(user: string, asker: Requester, connection: string, scopes: readonly string[]): StartedRequest {
      const request = vault.newRequest(connection, scopes);
      // Starts with a letter, so that it can't look like an option when passed as a command-line argument.
      const ticket = `c${randomBytes(24).toString('base64url')}`;
      const authSession = randomBytes(32).toString('base64url');
      const expiresAt = clock.now() + LIFETIME_MS;
      rows.forget.run(clock.now() - LIFETIME_MS);
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
    byTicket: (ticket: string): ConnectionRequest | undefined => view(rows.byTicket.get(digest(ticket))),
    byAuthSession(authSession: string, user: string): ConnectionRequest | undefined {
      const row = rows.byAuthSession.get(digest(authSession));
      return row?.user === user ? view(row) : undefined;
    },
    /**
     * Completes a request when the person returns from the third party. Only the user who started the request may
     * complete it: otherwise, whoever opens an attacker's link would connect their account for the attacker (RFC 9700
     * §4.7).
     * @returns undefined for a response that belongs to no open request of this user
     */
    async finish(answer: {
      user: string;
      connection: string;
      state: string;
      code: string | undefined;
      denied: boolean;
    }): Promise<ConnectionRequest | undefined> {
      const { user, connection, state, code, denied } = answer;
      const row = rows.byState.get(state);
      if (row === undefined || row.user !== user || row.connection !== connection) return undefined;
      if (rows.claim.run(row.ticket, clock.now()).changes !== 1) return undefined;
      rows.settle.run(denied ? 'denied' : await redeemed(row, code), row.ticket);
      return view(rows.byTicket.get(row.ticket));
    },
    /** Completes a request without a browser, for the sandbox's simulated phone. @throws {VaultError} */
    async answerAs(
      ticket: string,
      user: string,
      password: string,
      decision: 'allow' | 'deny',
    ): Promise<ConnectionRequest | undefined> {
      const row = rows.byTicket.get(digest(ticket));
      if (row === undefined || row.user !== user || view(row)?.status !== 'open') return undefined;
      const code = await vault.answerAs(asked(row), { username: user, password }, decision);
      const { connection, state } = row;
      return requests.finish({ user, connection, state, code, denied: code === undefined });
    },
  };
  return requests;
}

type ConnectionOutcome = 'connected' | 'denied' | 'failed';

interface ConnectionRequestRow {
  ticket: string;
  auth_session: string;
  user: string;
  client: string;
  device: string | null;
  connection: string;
  scopes: string;
  state: string;
  verifier: string;
  expires_at: number;
  outcome: ConnectionOutcome | null;
}

function openConnectionRequestTable(database: Database) {
  const select = (column: 'ticket' | 'auth_session' | 'state') =>
    database.prepare<[string], ConnectionRequestRow>(`SELECT * FROM connection_requests WHERE ${column} = ?`);
  return {
    byTicket: select('ticket'),
    byAuthSession: select('auth_session'),
    byState: select('state'),
    insert: database.prepare(
      `INSERT INTO connection_requests (ticket, auth_session, user, client, device, connection, scopes, state, verifier, expires_at)
     VALUES (@ticket, @authSession, @user, @client, @device, @connection, @scopes, @state, @verifier, @expiresAt)`,
    ),
    forget: database.prepare<[number]>('DELETE FROM connection_requests WHERE expires_at < ?'),
    settle: database.prepare<[ConnectionOutcome, string]>(
      'UPDATE connection_requests SET outcome = ? WHERE ticket = ?',
    ),
    /** The first response uses up the request's state, even if the response is a failure. */
    claim: database.prepare<[string, number]>(
      'UPDATE connection_requests SET answered = 1 WHERE ticket = ? AND answered = 0 AND expires_at > ?',
    ),
  };
}
