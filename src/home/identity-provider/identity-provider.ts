import type { IncomingMessage, ServerResponse } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Hono } from 'hono';
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import Provider, { type ClientMetadata } from 'oidc-provider';
import type { Keys } from '../../approval/keys/keys.ts';
import { createTokenVerifier, type TokenVerifier } from '../../gateway/door/token-verifier.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { failpoint } from '../../machine/failpoint.ts';
import { TOKEN_EXCHANGE_GRANT } from '../../net/oauth-names.ts';
import { sqliteProofStore } from '../../store/sqlite/proof-store.ts';
import { approvalCode } from '../../trading/approval-details.ts';
import type { Faults } from '../faults.ts';
import { createPhoneApp } from '../phone/phone-app.ts';
import type { PhoneServices } from '../phone/phone-services.ts';
import { type ApprovalRequests, createApprovalRequests } from './approval-requests.ts';
import { readSubject } from './approval-subject.ts';
import { pingSender } from './clients.ts';
import { completeAnswers } from './complete-answers.ts';
import { createConnectedAccounts } from './connected-accounts.ts';
import { createConnectionRequests } from './connection-requests.ts';
import { createDecide } from './decide.ts';
import { createDelivery, type Delivery } from './deliver-decision.ts';
import { createDeviceCodes } from './device-codes.ts';
import { frontDoor, type Handler } from './front-door.ts';
import { createIssuedTokens, type IssuedTokens } from './issued-tokens.ts';
import { holdPoll } from './long-poll.ts';
import { oidcConfiguration } from './oidc-configuration.ts';
import { createOidcStore, type OidcStore } from './oidc-store.ts';
import { createOutcomeEndpoint } from './outcome-endpoint.ts';
import type { People } from './people.ts';
import { connectedAccountsUrl } from './protocol.ts';
import { loadProviderKeys, type ProviderKeys } from './provider-keys.ts';
import type { RefreshTokenReuse } from './refresh-token-reuse.ts';
import { createSessions } from './sessions.ts';
import { createTokenExchange, tokenExchangeParameters } from './token-exchange.ts';
import type { Vault } from './vault.ts';

export interface IdentityProviderOptions {
  /** Its own address on loopback, already listening: `http://127.0.0.1:4747`. */
  readonly issuer: string;
  readonly database: Database;
  /** The gateway's resource indicator: the audience of access tokens. */
  readonly resource: string;
  readonly people: People;
  /** By user name. */
  readonly passwords?: Readonly<Record<string, string>>;
  /** Authenticates the terminal phone. */
  readonly phonePairingSecret: string;
  /** The one client that may exchange tokens (private_key_jwt). */
  readonly gatewayClient: { readonly client_id: string; readonly jwks: JSONWebKeySet };
  /** Other people's clients that are registered beforehand (RFC 7591 metadata). */
  readonly clients?: readonly ClientMetadata[];
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
  /** The keys that people approve with; without them a tap is all there is to an approval. */
  readonly keys?: Keys;
  /** Whether an approval must be signed by one of them; `off` unless said otherwise. */
  readonly signatures?: 'required' | 'off';
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

const PING_TIMEOUT_MS = 5000;

/** A home's OpenID provider: device flow, CIBA with RAR, DPoP, dynamic registration, token exchange; and the phone. */
export async function createIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { database, faults, issuer, resource, vault } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const onError = options.onError ?? ((message) => process.stderr.write(`identity provider: ${message}\n`));
  const closing = new AbortController();
  if (options.signatures === 'required' && options.keys === undefined) {
    throw new TypeError('approvals can’t be signed without keys');
  }
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');

  const keys = await loadProviderKeys(database);
  const requests = createApprovalRequests(database, clock);
  const issued = createIssuedTokens(database, now);
  const store = createOidcStore({
    database,
    now,
    refreshTokenReuse: options.refreshTokenReuse,
    beforeBackchannelRequest: (id, payload) =>
      holdPoll(id, payload, { context: Provider.ctx, requests, faults, clock, closing: closing.signal }),
  });

  const isLive = (jti: string) => {
    const grant = issued.grantOf(jti);
    return grant !== undefined && store.grantExists(grant);
  };
  const provider = openProvider({
    ...options,
    keys,
    requests,
    store,
    now,
    isLive,
    onError,
    onIssued: issued.note,
    // One that gave way to the new one is told so; if that fails, the next start does it.
    onAsked: () => void delivery.all().catch((error: Error) => onError(error.message)),
  });

  const delivery = createDelivery({ provider, requests, resource, faults });
  await delivery.all();

  const connections = createConnectionRequests({ database, vault, clock });
  const connectedAccounts = serve(
    createConnectedAccounts({
      issuer,
      vault,
      requests: connections,
      verify: ownTokens(issuer, keys, database, clock),
      isLive,
      now,
    }),
  );
  const phone = serve(
    phoneApp(options, {
      formKey: keys.cookie,
      requests,
      connections,
      deviceCodes: createDeviceCodes({ provider, resource, now }),
      clock,
      closing: closing.signal,
      delivery,
    }),
  );
  const handle = frontDoor({
    issuer,
    faults,
    clock,
    closing: closing.signal,
    protocol: asPublic(issuer, provider.callback()),
    phone,
    connectedAccounts,
    outcomes: serve(createOutcomeEndpoint({ issuer, provider, requests, deliver: delivery.one, now })),
  });
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

/** The person's side: who is signed in, what waits for them, and what they say to it. */
function phoneApp(
  options: IdentityProviderOptions,
  parts: Pick<PhoneServices, 'requests' | 'connections' | 'deviceCodes' | 'clock' | 'closing'> & {
    readonly formKey: string;
    readonly delivery: Delivery;
  },
): Hono {
  const { database, issuer, people, keys, signatures = 'off' } = options;
  const { clock, delivery, formKey, requests } = parts;
  return createPhoneApp({
    ...parts,
    issuer,
    people,
    thirdPartyPasswords: options.thirdPartyPasswords ?? {},
    sessions: createSessions({
      database,
      people,
      passwords: options.passwords ?? {},
      formKey,
      clock,
    }),
    pairingSecret: options.phonePairingSecret,
    keys,
    signatures,
    decide: createDecide({
      requests,
      delivery,
      signatures: signatures === 'required' ? keys : undefined,
    }),
  });
}

/** Tokens that this provider itself has issued, for people's accounts elsewhere. */
function ownTokens(issuer: string, keys: ProviderKeys, database: Database, clock: Clock): TokenVerifier {
  return createTokenVerifier({
    provider: {
      metadata: async () => ({ issuer }),
      key: createLocalJWKSet({ keys: [keys.verification] }),
    },
    resource: connectedAccountsUrl(issuer),
    proofs: sqliteProofStore(database),
    clock,
  });
}

/** The library builds its endpoints' addresses from the request: they are the public ones, behind TLS or a proxy too. */
function asPublic(issuer: string, handle: Handler): Handler {
  const { host, protocol } = new URL(issuer);
  return (request, response) => {
    Object.assign(request.headers, {
      'x-forwarded-host': host,
      'x-forwarded-proto': protocol.slice(0, -1),
      'x-forwarded-for': request.socket.remoteAddress ?? '',
    });
    return handle(request, response);
  };
}

function serve(app: Hono): Handler {
  return getRequestListener(app.fetch, { overrideGlobalObjects: false });
}

interface ProviderParts
  extends Pick<IdentityProviderOptions, 'issuer' | 'resource' | 'people' | 'vault' | 'faults' | 'clients'> {
  readonly gatewayClient: IdentityProviderOptions['gatewayClient'];
  readonly fetch?: typeof fetch;
  readonly keys: ProviderKeys;
  readonly requests: ApprovalRequests;
  readonly store: OidcStore;
  readonly now: () => number;
  readonly isLive: (jti: string) => boolean;
  readonly onError: (message: string) => void;
  readonly onIssued: IssuedTokens['note'];
  /** A request is on somebody's phone. */
  readonly onAsked: () => void;
}

/** oidc-provider as it is used here. */
function openProvider(parts: ProviderParts): Provider {
  const { issuer, resource, faults, requests, now, onError } = parts;
  let lastApprovalJti: unknown;
  const provider = new Provider(
    issuer,
    oidcConfiguration({
      ...parts,
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
        parts.onAsked();
        failpoint('idp.asked');
      },
      onAccessToken: (payload) => {
        if (payload.authorization_details === undefined) return;
        if (lastApprovalJti !== undefined && faults.take('replayed_approval')) payload.jti = lastApprovalJti;
        lastApprovalJti = payload.jti;
      },
      fetch: pingSender({ resource, fetch: parts.fetch ?? fetch, timeoutMs: PING_TIMEOUT_MS }),
    }),
  );
  // The address that it goes by is the issuer's, whatever stands between it and its callers: see `asPublic`.
  provider.proxy = true;
  provider.on('server_error', (ctx, error) => onError(`${ctx.method} ${ctx.path}: ${error.message}`));
  // Koa's own event, which the provider's types leave out; without a listener Koa prints whole stacks.
  const koa: NodeJS.EventEmitter = provider;
  koa.on('error', (error: Error) => onError(error.message));
  provider.on('access_token.issued', (token) => {
    if (token.grantId === undefined) return;
    parts.onIssued({ jti: token.jti, grantId: token.grantId, expiresAt: now() + token.expiration * 1000 });
  });
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    createTokenExchange({
      issuer,
      resource,
      gatewayClientId: parts.gatewayClient.client_id,
      verification: parts.keys.verification,
      vault: parts.vault,
      now,
      isLive: parts.isLive,
    }),
    tokenExchangeParameters,
  );

  completeAnswers(provider, issuer, faults);
  return provider;
}
