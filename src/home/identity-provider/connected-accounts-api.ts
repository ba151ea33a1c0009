import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import type { Caller } from '../../gateway/auth/caller.ts';
import { toProblemResponse } from '../../gateway/auth/problem.ts';
import { SIGNING_ALGORITHMS } from '../../gateway/auth/token-rules.ts';
import type { TokenVerifier } from '../../gateway/auth/token-verifier.ts';
import type { CONNECTION_SCOPES } from '../../oauth/scopes.ts';
import { ProblemError } from '../../trading/http-problem.ts';
import type { ConnectionRequest, ConnectionRequests } from './connection-requests.ts';
import { CONNECT_PATH, CONNECTED_ACCOUNTS_PATH, connectedAccountsUrl } from './protocol/protocol.ts';
import { isRequestFault } from './protocol/readable-form.ts';
import { limitUnauthorizedRequests, type RequestLimits } from './protocol/request-limits.ts';
import { VaultError, type VaultErrorCode } from './third-party.ts';
import type { Vault, VaultAccount } from './vault.ts';

class ConnectionProblem extends ProblemError<
  | VaultErrorCode
  | 'insufficient_scope'
  | 'not_found'
  | 'invalid_request'
  | 'authorization_pending'
  | 'access_denied'
  | 'expired_token'
  | 'connection_failed'
  | 'internal'
> {}

const ACCOUNT_POLL_INTERVAL_S = 1;

const connectSchema = z.strictObject({
  connection: z.string().min(1).max(128),
  scopes: z.array(z.string().min(1).max(200)).max(20).default([]),
  /** Has the same format as a device login's device name. */
  device_name: z
    .string()
    .regex(/^[\x20-\x7e]{1,64}$/)
    .optional(),
});
const completeSchema = z.strictObject({ auth_session: z.string().min(1).max(128) });

interface ConnectedAccountsOptions {
  readonly issuer: string;
  readonly vault: Vault;
  readonly requests: ConnectionRequests;
  /** Verifies tokens for the audience {@link connectedAccountsUrl}. */
  readonly verify: TokenVerifier;
  readonly limits: RequestLimits;
  readonly now: () => number;
}

/**
 * Creates the API for a person's connected accounts, which is called by the client that the person signed in with. The
 * API has the interface of Auth0's My Account API. Unlike Auth0, the provider itself completes a connection, so the
 * person may use any browser (docs/operate/providers/other.md).
 */
export function createConnectedAccountsApi(options: ConnectedAccountsOptions): Hono<{ Bindings: HttpBindings }> {
  const { issuer, vault, requests } = options;
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.use(limitUnauthorizedRequests(options.limits));
  const tooLarge = () => {
    throw new ConnectionProblem(413, 'invalid_request', 'the request body is too large');
  };
  app.use(bodyLimit({ maxSize: 16 * 1024, onError: tooLarge }));
  app.onError((error, context) => {
    // Errors of the token verifier keep their error codes.
    const refusal =
      error instanceof ProblemError
        ? error
        : isRequestFault(error, context.env.incoming)
          ? new ConnectionProblem(400, 'invalid_request', 'the request was interrupted')
          : new ConnectionProblem(500, 'internal', 'something went wrong at the provider');
    return toProblemResponse(refusal.toProblem(), refusal.options, {
      metadataUrl: `${issuer}/.well-known/openid-configuration`,
      algorithms: SIGNING_ALGORITHMS,
      requestId: context.req.header('x-request-id') ?? 'none',
    });
  });

  const caller = createCallerCheck(options);
  const base = CONNECTED_ACCOUNTS_PATH;

  app.get(`${base}/connections`, async (context) => {
    await caller(context, 'read:me:connected_accounts');
    return context.json({ connections: vault.connections() });
  });

  app.get(`${base}/accounts`, async (context) => {
    const { sub } = await caller(context, 'read:me:connected_accounts');
    return context.json({ accounts: (await vault.accounts(sub)).map(toAccountView) });
  });

  app.delete(`${base}/accounts/:id`, async (context) => {
    const { sub: user } = await caller(context, 'delete:me:connected_accounts');
    const id = context.req.param('id');
    const account = (await vault.accounts(user)).find((known) => toAccountView(known).id === id);
    if (account === undefined) throw new ConnectionProblem(404, 'not_found', 'no such account is connected');
    await vault.disconnect(user, account.connection);
    return context.body(null, 204);
  });

  app.post(`${base}/connect`, async (context) => {
    const { sub, clientId = 'A program' } = await caller(context, 'create:me:connected_accounts');
    const { connection, scopes, device_name: device } = await parseBody(context, connectSchema);
    try {
      const { ticket, authSession, expiresAt } = await requests.start(
        sub,
        { client: clientId, device },
        connection,
        scopes,
      );
      return context.json(
        {
          connect_uri: `${issuer}${CONNECT_PATH}`,
          auth_session: authSession,
          connect_params: { ticket },
          expires_in: Math.max(1, Math.floor((expiresAt - options.now()) / 1000)),
          interval: ACCOUNT_POLL_INTERVAL_S,
        },
        201,
      );
    } catch (error) {
      if (!(error instanceof VaultError)) throw error;
      throw new ConnectionProblem(400, error.refusal, error.message);
    }
  });

  // Responds with an error until the person has finished, as RFC 8628 §3.5 does for a device code.
  app.post(`${base}/complete`, async (context) => {
    const { sub: user } = await caller(context, 'create:me:connected_accounts');
    const { auth_session } = await parseBody(context, completeSchema);
    const request = await requests.byAuthSession(auth_session, user);
    return context.json(toAccountView(await connectedAccount(vault, user, request)), 201);
  });

  app.all('*', () => {
    throw new ConnectionProblem(404, 'not_found', `only addresses below ${connectedAccountsUrl(issuer)} exist here`);
  });
  return app;
}

/** Creates a function that authenticates a caller. The caller's token must be for this exact resource. */
function createCallerCheck(options: Pick<ConnectedAccountsOptions, 'verify'>) {
  return async (context: Context, scope: (typeof CONNECTION_SCOPES)[number]): Promise<Caller> => {
    context.header('cache-control', 'no-store');
    const path = new URL(context.req.url).pathname.slice(CONNECTED_ACCOUNTS_PATH.length);
    const verified = await options.verify({
      method: context.req.method,
      path,
      authorization: context.req.header('authorization'),
      dpop: context.req.header('dpop'),
    });
    if (!verified.scopes.has(scope)) {
      const problem = `the access token lacks the required scope ${scope}`;
      throw new ConnectionProblem(403, 'insufficient_scope', problem, {
        challenge: { error: 'insufficient_scope', scopes: [scope] },
      });
    }
    return verified;
  };
}

/** Error code and message for each state of a request that has not connected an account (RFC 8628 §3.5). */
const pendingErrors = {
  open: ['authorization_pending', 'the person has not responded yet'],
  denied: ['access_denied', 'the person denied the request'],
  expired: ['expired_token', 'nobody responded in time'],
  failed: ['connection_failed', 'the third party refused the connection'],
} as const;

/** Returns the account that a request has connected. @throws {ConnectionProblem} */
async function connectedAccount(
  vault: Vault,
  user: string,
  request: ConnectionRequest | undefined,
): Promise<VaultAccount> {
  if (request === undefined) throw new ConnectionProblem(400, 'invalid_request', 'no such request');
  if (request.status !== 'connected') {
    const [code, message] = pendingErrors[request.status];
    throw new ConnectionProblem(400, code, message);
  }
  const account = (await vault.accounts(user)).find(({ connection }) => connection === request.connection);
  if (account === undefined) throw new ConnectionProblem(400, 'connection_failed', 'it has since been disconnected');
  return account;
}

function toAccountView({ connection, scopes, connectedAt }: VaultAccount) {
  return {
    id: `cac_${connection}`,
    connection,
    access_type: 'offline',
    scopes,
    created_at: new Date(connectedAt).toISOString(),
  };
}

async function parseBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await context.req.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  throw new ConnectionProblem(400, 'invalid_request', 'the request body is invalid');
}
