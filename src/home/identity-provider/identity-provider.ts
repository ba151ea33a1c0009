import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import Provider from 'oidc-provider';
import { createTokenVerifier } from '../../gateway/door/token-verifier.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { sqliteProofStore } from '../../store/sqlite/proof-store.ts';
import { approvalCode } from '../../trading/approval-details.ts';
import type { Faults } from '../faults.ts';
import { createPhoneApp, isPhonePath } from '../phone/phone-app.ts';
import { createApprovalRequests } from './approval-requests.ts';
import { readSubject } from './approval-subject.ts';
import { pingSender } from './clients.ts';
import { createConnectedAccounts } from './connected-accounts.ts';
import { createConnectionRequests } from './connection-requests.ts';
import { deliverDecision } from './deliver-decision.ts';
import { createDeviceCodes } from './device-codes.ts';
import { createIssuedTokens } from './issued-tokens.ts';
import { holdPoll } from './long-poll.ts';
import { oidcConfiguration } from './oidc-configuration.ts';
import { createOidcStore } from './oidc-store.ts';
import { createOutcomeEndpoint } from './outcome-endpoint.ts';
import {
  CIBA_GRANT,
  CONNECTED_ACCOUNTS_PATH,
  connectedAccountsUrl,
  OUTCOME_PATH,
  POLL_INTERVAL,
  routes,
  TOKEN_EXCHANGE_GRANT,
} from './protocol.ts';
import { loadProviderKeys } from './provider-keys.ts';
import type { RefreshTokenReuse } from './refresh-token-reuse.ts';
import { createSessions } from './sessions.ts';
import { createTokenExchange, tokenExchangeParameters } from './token-exchange.ts';
import type { SandboxUser } from './users.ts';
import type { Vault } from './vault.ts';

export type { SandboxUser } from './users.ts';

export interface IdentityProviderOptions {
  /** Its own address on loopback, already listening: `http://127.0.0.1:4747`. */
  readonly issuer: string;
  readonly database: Database;
  /** The gateway's resource indicator: the audience of access tokens. */
  readonly resource: string;
  /** Unused: the vault knows its brokers. */
  readonly broker?: { readonly url: string };
  readonly users: readonly SandboxUser[];
  /** Authenticates the terminal phone. */
  readonly phonePairingSecret: string;
  /** The one client that may exchange tokens (private_key_jwt). */
  readonly gatewayClient: { readonly client_id: string; readonly jwks: JSONWebKeySet };
  readonly vault: Vault;
  /** By user name: lets the terminal phone stand in for their browser where an account is to be connected. */
  readonly thirdPartyPasswords?: Readonly<Record<string, string>>;
  readonly faults: Faults;
  /** Must tell the system's time: oidc-provider reads that by itself. Its `sleep` is what long polls wait on. */
  readonly clock?: Clock;
  /** Sends CIBA pings. */
  readonly fetch?: typeof fetch;
  /** Whether a refresh token whose answer was lost may be used again; `never` unless said otherwise. */
  readonly refreshTokenReuse?: RefreshTokenReuse;
  /** Told of what went wrong inside; never holds a token. */
  readonly onError?: (message: string) => void;
}

export interface IdentityProvider {
  readonly callback: (request: IncomingMessage, response: ServerResponse) => void;
  /** How many polls the token endpoint is holding for a CIBA request. */
  readonly heldPolls: (authReqId: string) => number;
  /** Ends what waits (long polls, event streams); the database stays open. */
  close(): Promise<void>;
}

const SLOW_ANSWER_MS = 2000;
const PING_TIMEOUT_MS = 5000;

/** The sandbox's OpenID provider: device flow, CIBA with RAR, DPoP, dynamic registration, token exchange; and the phone. */
export async function createIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { database, faults, issuer, resource, users } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const onError = options.onError ?? ((message) => process.stderr.write(`identity provider: ${message}\n`));
  const closing = new AbortController();
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');

  const keys = await loadProviderKeys(database);
  const requests = createApprovalRequests(database, clock);
  const sessions = createSessions({ database, users, formKey: keys.cookie, clock });
  const issued = createIssuedTokens(database, now);
  const store = createOidcStore({
    database,
    now,
    refreshTokenReuse: options.refreshTokenReuse,
    beforeBackchannelRequest: (id, payload) =>
      holdPoll(id, payload, { context: Provider.ctx, requests, faults, clock, closing: closing.signal }),
  });

  let lastApprovalJti: unknown;
  const provider = new Provider(
    issuer,
    oidcConfiguration({
      issuer,
      store,
      keys,
      users,
      resource,
      gatewayClient: options.gatewayClient,
      requests,
      now,
      askPerson: async (_ctx, request, account, client) => {
        const { details } = readSubject(request.params?.authorization_details, { resource, now: now() });
        const saved = await provider.BackchannelAuthenticationRequest.find(request.jti);
        if (saved?.exp === undefined) throw new Error('the request was not kept');
        const message = request.params?.binding_message;
        requests.add({
          authReqId: request.jti,
          user: account.accountId,
          clientId: client.clientId,
          clientName: client.clientName ?? client.clientId,
          code: 'code' in details ? details.code : approvalCode(details.digest),
          bindingMessage: typeof message === 'string' ? message : undefined,
          details,
          expiresAt: saved.exp * 1000,
        });
        // One that gave way to this is told so; if that fails, the next start does it.
        deliverAll().catch((error: Error) => onError(error.message));
        failpoint('idp.asked');
      },
      onAccessToken: (payload) => {
        if (payload.authorization_details === undefined) return;
        if (lastApprovalJti !== undefined && faults.take('replayed_approval')) payload.jti = lastApprovalJti;
        lastApprovalJti = payload.jti;
      },
      fetch: pingSender({ resource, fetch: options.fetch ?? fetch, timeoutMs: PING_TIMEOUT_MS }),
    }),
  );
  provider.on('server_error', (ctx, error) => onError(`${ctx.method} ${ctx.path}: ${error.message}`));
  // Koa's own event, which the provider's types leave out; without a listener Koa prints whole stacks.
  const koa: NodeJS.EventEmitter = provider;
  koa.on('error', (error: Error) => onError(error.message));
  provider.on('access_token.issued', (token) => {
    if (token.grantId === undefined) return;
    issued.note({ jti: token.jti, grantId: token.grantId, expiresAt: now() + token.expiration * 1000 });
  });
  const { vault } = options;
  const isLive = (jti: string) => {
    const grant = issued.grantOf(jti);
    return grant !== undefined && store.grantExists(grant);
  };
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    createTokenExchange({
      issuer,
      resource,
      gatewayClientId: options.gatewayClient.client_id,
      verification: keys.verification,
      vault,
      now,
      isLive,
    }),
    tokenExchangeParameters,
  );

  provider.use(async (ctx, next) => {
    await next();
    const route: unknown = ctx.oidc?.route;
    if (route === 'discovery' && ctx.status === 200) {
      // There is no authorization endpoint here: people sign in by the device flow only.
      ctx.body = {
        ...ctx.body,
        authorization_endpoint: undefined,
        response_modes_supported: undefined,
        connected_accounts_endpoint: connectedAccountsUrl(issuer),
        backchannel_outcome_endpoint: `${issuer}${OUTCOME_PATH}`,
        backchannel_user_code_parameter_supported: false,
      };
    }
    if ((route === 'backchannel_authentication' || route === 'device_authorization') && ctx.status === 200) {
      ctx.body = { ...ctx.body, interval: POLL_INTERVAL };
    }
    const approved = route === 'token' && ctx.status === 200 && ctx.oidc.params.grant_type === CIBA_GRANT;
    if (approved) failpoint('idp.issued');
    if (approved && faults.take('lost_token_response')) {
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
  });

  const deliver = deliverDecision({ provider, requests, resource, faults });
  const delivering = new Map<string, Promise<void>>();
  /** A decision that was kept but not delivered (an error in between) is delivered by the next tap. */
  const deliverOnce = async (id: string): Promise<void> => {
    const open = requests.undelivered().find((request) => request.id === id);
    if (open === undefined) return;
    const delivery = delivering.get(id) ?? deliver(open).finally(() => delivering.delete(id));
    delivering.set(id, delivery);
    await delivery;
  };
  async function deliverAll(): Promise<void> {
    for (const { id } of requests.undelivered()) await deliverOnce(id);
  }
  await deliverAll();

  const connections = createConnectionRequests({ database, vault, clock });
  const connectedAccounts = getRequestListener(
    createConnectedAccounts({
      issuer,
      vault,
      requests: connections,
      verify: createTokenVerifier({
        provider: {
          metadata: async () => ({ issuer }),
          key: createLocalJWKSet({ keys: [keys.verification] }),
        },
        resource: connectedAccountsUrl(issuer),
        proofs: sqliteProofStore(database),
        clock,
      }),
      isLive,
      now,
    }).fetch,
    { overrideGlobalObjects: false },
  );
  const outcomes = getRequestListener(
    createOutcomeEndpoint({ issuer, provider, requests, deliver: deliverOnce, now }).fetch,
    { overrideGlobalObjects: false },
  );
  const phone = getRequestListener(
    createPhoneApp({
      issuer,
      users,
      requests,
      deviceCodes: createDeviceCodes({ provider, resource, now }),
      connections,
      thirdPartyPasswords: options.thirdPartyPasswords ?? {},
      sessions,
      pairingSecret: options.phonePairingSecret,
      clock,
      closing: closing.signal,
      decide: async (id, decision, user) => {
        const result = requests.decide(id, decision, user);
        failpoint('idp.decided');
        await deliverOnce(id);
        return result;
      },
    }).fetch,
    { overrideGlobalObjects: false },
  );
  const protocol = provider.callback();
  const { host } = new URL(issuer);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', issuer).pathname;
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('referrer-policy', 'no-referrer');
    response.setHeader('content-security-policy', "default-src 'none'; frame-ancestors 'none'");
    // A page of another site that points its own name at 127.0.0.1 (DNS rebinding) gives itself away here.
    if (request.headers.host !== host) {
      response
        .writeHead(421, { 'content-type': 'text/plain' })
        .end(`This server answers only as ${issuer}\n`);
      return;
    }
    if (faults.take('slow_answers')) await clock.sleep(SLOW_ANSWER_MS, closing.signal);
    if (isPhonePath(path)) return phone(request, response);
    if (path.startsWith(`${CONNECTED_ACCOUNTS_PATH}/`)) return connectedAccounts(request, response);
    if (path === OUTCOME_PATH) return outcomes(request, response);
    if (!isProtocolPath(path)) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n');
      return;
    }
    if (path === routes.token && faults.take('idp_5xx')) {
      response
        .writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
        .end(JSON.stringify({ error: 'temporarily_unavailable' }));
      return;
    }
    await protocol(request, response);
  }

  return {
    callback: (request, response) => {
      handle(request, response).catch((error: unknown) => {
        onError(error instanceof Error ? error.message : 'unknown error');
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
    heldPolls: requests.waiting,
    close: async () => closing.abort(),
  };
}

/** Only what is meant to be served: the library has more routes than this provider has uses for. */
function isProtocolPath(path: string): boolean {
  return (
    path === '/.well-known/openid-configuration' ||
    path === '/.well-known/oauth-authorization-server' ||
    [
      routes.backchannel_authentication,
      routes.device_authorization,
      routes.jwks,
      routes.registration,
      routes.revocation,
      routes.token,
      routes.userinfo,
    ].some((route) => route === path)
  );
}
