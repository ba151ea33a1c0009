import { createHash, randomBytes } from 'node:crypto';
import { type GrantDetails, grantIdentifier } from '../../approval/signature/grant.ts';
import type { Clock } from '../../machine/clock.ts';
import { run, type SqlTransactions, type SqlValues } from '../../store/sql/sql-database.ts';
import type { GrantConsent, SignedGrants } from './signed-grants.ts';
import { type ThirdPartyRequest, VaultError } from './third-party.ts';
import type { Vault } from './vault.ts';

interface Requester {
  readonly client: string;
  /** Name that the device reported. Unverified. */
  readonly device: string | undefined;
}

export interface ConnectionRequest {
  /** The person who started the request, and the only person who may complete it. */
  readonly user: string;
  readonly asker: Requester;
  readonly connection: string;
  readonly label: string;
  readonly scopes: readonly string[];
  readonly status: 'open' | 'expired' | ConnectionOutcome;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

interface StartedRequest {
  /** Part of the address that the person opens. Works only if that person is signed in. */
  readonly ticket: string;
  /** Secret that the client sends when it polls for the outcome. */
  readonly authSession: string;
  readonly expiresAt: number;
}

export type ConnectionRequests = ReturnType<typeof createConnectionRequests>;

/** Lifetime of a request in milliseconds, long enough to look up a password. */
const LIFETIME_MS = 10 * 60_000;

interface ConnectionRequestsOptions {
  readonly database: SqlTransactions;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly signed: Pick<SignedGrants, 'details' | 'requireSignature'>;
}

/** Stores connection requests in the database, so that a person can return after a restart or to another process. */
export function createConnectionRequests(options: ConnectionRequestsOptions) {
  const { database, vault, clock, signed } = options;
  const rows = openConnectionRequestTable(database);

  const view = (row: ConnectionRequestRow | undefined) => toConnectionRequest(row, options);
  /** Returns the user's request with this ticket, if it is open. */
  const openRequest = async (ticket: string, user: string) => {
    const row = await rows.byTicket(digest(ticket));
    const request = view(row);
    return row?.username === user && request?.status === 'open' ? { row, request } : undefined;
  };

  const requests = {
    /** Starts a request. @throws {VaultError} `unknown_connection`, `invalid_scope` */
    async start(
      user: string,
      asker: Requester,
      connection: string,
      scopes: readonly string[],
    ): Promise<StartedRequest> {
      const request = vault.newRequest(connection, scopes);
      // Starts with a letter, so that the ticket can't look like an option on a command line.
      const ticket = `c${randomBytes(24).toString('base64url')}`;
      const authSession = randomBytes(32).toString('base64url');
      const expiresAt = clock.now() + LIFETIME_MS;
      await rows.add({
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
        outdated: clock.now() - LIFETIME_MS,
      });
      return { ticket, authSession, expiresAt };
    },
    byTicket: async (ticket: string): Promise<ConnectionRequest | undefined> =>
      view(await rows.byTicket(digest(ticket))),
    async byAuthSession(authSession: string, user: string): Promise<ConnectionRequest | undefined> {
      const row = await rows.byAuthSession(digest(authSession));
      return row?.username === user ? view(row) : undefined;
    },
    /** Returns the connection's details for signing, or undefined if the user has no open request with this ticket. */
    async details(ticket: string, user: string): Promise<GrantDetails | undefined> {
      const open = await openRequest(ticket, user);
      return open && toGrantDetails(open, options);
    },
    /**
     * Records that the person signed the connection. The third party's response is accepted only afterward.
     * @returns the URL of the third party's page; undefined if the user has no open request with this ticket
     * @throws `signature_…` if the person did not sign, in which case the request stays open
     */
    async allow(ticket: string, user: string, consent: Omit<GrantConsent, 'days'>): Promise<string | undefined> {
      const open = await openRequest(ticket, user);
      if (open === undefined) return undefined;
      await signed.requireSignature(toGrantDetails(open, options), consent);
      const isSigned = await rows.sign(open.row.ticket, clock.now());
      return isSigned ? vault.authorizationUrl(toThirdPartyRequest(open.row)) : undefined;
    },
    /** Ends a request without a connection. @returns undefined if the user has no open request with this ticket */
    async deny(ticket: string, user: string): Promise<ConnectionRequest | undefined> {
      const row = (await openRequest(ticket, user))?.row;
      if (row === undefined || !(await rows.deny(row.ticket, clock.now()))) return undefined;
      return view(await rows.byTicket(row.ticket));
    },
    /**
     * Completes a request when the person returns from the third party. Only the user who started the request may
     * complete it. Otherwise, a person who opens an attacker's link would connect their account for the attacker (RFC
     * 9700 §4.7).
     * @returns undefined if the response belongs to no open request that this user signed
     */
    async finish(answer: {
      user: string;
      connection: string;
      state: string;
      code: string | undefined;
      denied: boolean;
    }): Promise<ConnectionRequest | undefined> {
      const { user, connection, state, code, denied } = answer;
      const row = await rows.byState(state);
      if (row === undefined || row.username !== user || row.connection !== connection) return undefined;
      if (!(await rows.claim(row.ticket, clock.now()))) return undefined;
      await rows.settle(row.ticket, denied ? 'denied' : await redeem(vault, row, code));
      return view(await rows.byTicket(row.ticket));
    },
    /**
     * Allows and completes a request without a browser, for the sandbox's simulated phone.
     * @throws {VaultError}
     * @throws `signature_…`
     */
    async allowAs(
      ticket: string,
      { username: user, password }: { username: string; password: string },
      consent: Omit<GrantConsent, 'days'>,
    ): Promise<ConnectionRequest | undefined> {
      const row = (await openRequest(ticket, user))?.row;
      if (row === undefined || (await requests.allow(ticket, user, consent)) === undefined) return undefined;
      const code = await vault.allowAs(toThirdPartyRequest(row), { username: user, password });
      const { connection, state } = row;
      return requests.finish({ user, connection, state, code, denied: false });
    },
  };
  return requests;
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

function toThirdPartyRequest({ connection, scopes, state, verifier }: ConnectionRequestRow): ThirdPartyRequest {
  return { connection, scopes: scopes.split(' '), state, verifier };
}

function toConnectionRequest(
  row: ConnectionRequestRow | undefined,
  { vault, clock }: ConnectionRequestsOptions,
): ConnectionRequest | undefined {
  const known = vault.connections().find(({ name }) => name === row?.connection);
  if (row === undefined || known === undefined) return undefined;
  return {
    user: row.username,
    asker: { client: row.client, device: row.device ?? undefined },
    connection: row.connection,
    label: known.label,
    scopes: row.scopes.split(' '),
    status: row.outcome ?? (row.expires_at <= clock.now() ? 'expired' : 'open'),
    expiresAt: row.expires_at,
  };
}

function toGrantDetails(
  { row, request }: { readonly row: ConnectionRequestRow; readonly request: ConnectionRequest },
  { signed, vault }: ConnectionRequestsOptions,
): GrantDetails {
  return signed.details(grantIdentifier(row.ticket), {
    kind: 'connection',
    sub: row.username,
    client: row.connection,
    client_name: request.label,
    scopes: [...request.scopes],
    resources: [new URL(vault.authorizationUrl(toThirdPartyRequest(row))).origin],
    accounts: 'all',
    from: [row.client, row.device].filter(Boolean).join(', '),
    ends_at: null,
  });
}

async function redeem(vault: Vault, row: ConnectionRequestRow, code: string | undefined): Promise<ConnectionOutcome> {
  if (code === undefined) return 'failed';
  try {
    await vault.redeem(row.username, toThirdPartyRequest(row), code);
    return 'connected';
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    return 'failed';
  }
}

type ConnectionOutcome = 'connected' | 'denied' | 'failed';

interface ConnectionRequestRow {
  ticket: string;
  username: string;
  client: string;
  device: string | null;
  connection: string;
  scopes: string;
  state: string;
  verifier: string;
  expires_at: number;
  outcome: ConnectionOutcome | null;
}

function openConnectionRequestTable(database: SqlTransactions) {
  const select = (column: 'ticket' | 'auth_session' | 'state') => (value: string) =>
    database.one<ConnectionRequestRow>(
      `SELECT ticket, username, client, device, connection, scopes, state, verifier, expires_at, outcome
       FROM connection_requests WHERE ${column} = @value`,
      { value },
    );
  /** Returns a function that changes a request if it is still open. */
  const update =
    (set: string, condition = '') =>
    async (ticket: string, now: number) => {
      const text = `UPDATE connection_requests SET ${set}
       WHERE ticket = @ticket AND answered = 0 AND expires_at > @now ${condition}`;
      return (await database.run(text, { ticket, now })) === 1;
    };
  return {
    byTicket: select('ticket'),
    byAuthSession: select('auth_session'),
    byState: select('state'),
    /** Adds a request, and deletes requests that expired before `outdated`. */
    add: (request: SqlValues): Promise<void> =>
      database.write(function* () {
        yield* run('DELETE FROM connection_requests WHERE expires_at < @outdated', request);
        yield* run(
          `INSERT INTO connection_requests
             (ticket, auth_session, username, client, device, connection, scopes, state, verifier, expires_at)
           VALUES (@ticket, @authSession, @user, @client, @device, @connection, @scopes, @state, @verifier, @expiresAt)`,
          request,
        );
      }),
    sign: update('signed = 1'),
    deny: update("answered = 1, outcome = 'denied'"),
    /** Marks a signed request as answered. Only the first response counts, even if it reports a failure. */
    claim: update('answered = 1', 'AND signed = 1'),
    async settle(ticket: string, outcome: ConnectionOutcome): Promise<void> {
      await database.run('UPDATE connection_requests SET outcome = @outcome WHERE ticket = @ticket', {
        ticket,
        outcome,
      });
    },
  };
}
