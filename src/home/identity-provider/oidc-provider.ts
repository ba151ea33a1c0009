import type { JSONWebKeySet, JWK, JWTVerifyGetKey } from 'jose';
import type { AllClientMetadata, Client } from 'oidc-provider';
import Provider, {
  type ClientMetadata,
  errors,
  type KoaContextWithOIDC,
  type TokenEndpointGrantContext,
} from 'oidc-provider';
import { generateUnusedCode } from '../../approval/kernel/propose.ts';
import { failpoint } from '../../machine/failpoint.ts';
import {
  createPublicFetch,
  createPublicResolver,
  hasOnlyPublicAddresses,
  RESOLVER_RETRY_S,
  type ResolveHost,
  ResolverBusyError,
} from '../../net/outbound-client.ts';
import {
  ACCESS_TOKEN_TYPE,
  CIBA_GRANT,
  CODE_ENTRY_SUPPORTED,
  ID_JAG_PROFILE,
  JWT_BEARER_GRANT,
  REFRESH_TOKEN_TYPE,
  TOKEN_EXCHANGE_GRANT,
} from '../../oauth/oauth-names.ts';
import { ALL_SCOPES } from '../../oauth/scopes.ts';
import type { AuthorizedClientStore } from '../../store/home/authorized-clients.ts';
import type { IssuedTokenStore, OidcStore } from '../../store/home/oidc-store.ts';
import type { OpenRegistrationStore } from '../../store/home/open-registrations.ts';
import type { PeopleStore } from '../../store/home/people.ts';
import type { ProviderKeys } from '../../store/home/provider-keys.ts';
import type { RedeemedAssertionStore } from '../../store/home/redeemed-assertions.ts';
import type { RegisteredClientStore, RegistrationToken } from '../../store/home/registered-clients.ts';
import { defined } from '../../values/defined.ts';
import type { ApprovalRequests } from './approval-requests.ts';
import { parseApprovalSubject } from './approval-subject.ts';
import { createDocumentReader, MAX_DOCUMENT_BYTES } from './authorization/client-documents.ts';
import { oneLineClientName } from './authorization/public-client.ts';
import { createPingSender, gatewayPingEndpoint, registeredScopes } from './clients.ts';
import type { Company } from './companies/company.ts';
import { companyGrantParameters, createCompanyGrant } from './companies/company-grant.ts';
import type { ActiveFaults } from './faults.ts';
import { createOidcConfiguration } from './oidc-configuration.ts';
import {
  connectedAccountsUrl,
  DETAILS_TYPES_PATH,
  type ExchangeParameters,
  type Handler,
  mcpResource,
  OUTCOME_PATH,
  POLL_INTERVAL_S,
  protocolRoutes,
  temporarilyUnavailableError,
  tokenExchangeParameters,
} from './protocol/protocol.ts';
import { isRequestFault } from './protocol/readable-form.ts';
import { limitProtocolRequests, type RequestLimits, respondTooManyRequests } from './protocol/request-limits.ts';
import { type AgentServer, findServerByClient } from './servers/agent-server.ts';
import {
  createServerExchange,
  invalidSubjectTokenError,
  type ServerExchangeOptions,
  type SignInGrants,
  verifySubjectToken,
} from './servers/server-exchange.ts';
import type { CompanyRevocations } from './signals/company-revocations.ts';
import { VaultError } from './third-party.ts';
import type { Vault } from './vault.ts';

export interface ProtocolOptions {
  /** The provider's own address, such as `http://127.0.0.1:4747`. The server must already be listening. */
  readonly issuer: string;
  /** The gateway's resource indicator: the audience of access tokens. */
  readonly resource: string;
  /** The gateway's identifier, which proposals and grants refer to. Defaults to `resource`. */
  readonly gatewayIdentifier?: string | undefined;
  readonly people: PeopleStore;
  /** The only client that may exchange tokens for the broker (`private_key_jwt`). */
  readonly gatewayClient: { readonly client_id: string; readonly jwks: JSONWebKeySet };
  readonly knownClients?: readonly ClientMetadata[];
  readonly servers?: readonly AgentServer[] | undefined;
  readonly companies?: readonly Company[] | undefined;
  readonly vault: Vault;
  readonly faults: ActiveFaults;
  /** Sends push messages, and CIBA pings to the gateway, which may be on this machine. */
  readonly fetch?: typeof fetch;
  /** Sends CIBA pings to other clients. By default, can't reach this machine or its network. */
  readonly publicFetch?: typeof fetch;
  /** Fetches clients' metadata documents (CIMD). By default, reaches only the public internet. */
  readonly documents?: typeof fetch;
  /** Fetches the `jwks_uri` of clients in the settings. Must honor the undici `dispatcher` passed with each request. */
  readonly clientKeys?: typeof fetch;
  /** Resolves hosts of third-party clients and push services. Defaults to `net/outbound-client.ts`. */
  readonly resolve?: ResolveHost;
}

interface ProtocolParts extends ProtocolOptions {
  readonly keys: ProviderKeys;
  readonly requests: ApprovalRequests;
  readonly clients: RegisteredClientStore;
  readonly authorized: Pick<AuthorizedClientStore, 'find' | 'used'>;
  readonly openRegistrations: OpenRegistrationStore;
  readonly limits: RequestLimits;
  readonly store: OidcStore;
  readonly now: () => number;
  readonly grants: SignInGrants;
  readonly servers: readonly AgentServer[];
  readonly companies: readonly Company[];
  readonly redeemed: RedeemedAssertionStore;
  readonly companyKeyOf: (company: Company) => JWTVerifyGetKey;
  readonly revocations: Pick<CompanyRevocations, 'refusal'>;
  readonly onError: (message: string) => void;
  readonly issued: Pick<IssuedTokenStore, 'note'>;
  /** Called after a request for a person's phone has been stored. */
  readonly onAsked: () => void;
}

/**
 * Creates the protocol endpoints. The library reads its keys only once, so a new provider is created whenever the keys
 * change. All state is in the provider's store, so the new provider continues the work of the previous provider.
 */
export function createProtocolEndpoints(parts: ProtocolParts) {
  const replayed: { jti?: unknown } = {};
  const outgoing = outgoingRequests(parts);
  let opened: { version: string; provider: Provider; handle: ReturnType<Provider['callback']> } | undefined;
  const current = async () => {
    const { version, keys } = await parts.keys.signing.current();
    if (opened?.version === version) return opened;
    const provider = openProvider(parts, outgoing, keys, replayed);
    opened = { version, provider, handle: provider.callback() };
    return opened;
  };
  return {
    provider: async (): Promise<Provider> => (await current()).provider,
    handle: async (...request: Parameters<Handler>) => await (await current()).handle(...request),
  };
}

/** Creates a provider. @param replayed the last approval's `jti`, for the fault that replays it */
function openProvider(
  parts: ProtocolParts,
  outgoing: ReturnType<typeof outgoingRequests>,
  keys: readonly JWK[],
  replayed: { jti?: unknown },
): Provider {
  const { issuer, resource, gatewayIdentifier, faults, requests, clients, now, onError } = parts;
  const provider = new Provider(
    issuer,
    createOidcConfiguration({
      ...parts,
      signingKeys: keys,
      cookieKey: parts.keys.cookie,
      askPerson: async ({ request, account, client, most }) => {
        const { authorization_details: text, binding_message: sent } = request.params ?? {};
        const { details, bindingMessage } = parseApprovalSubject(text, { resource, gatewayIdentifier, now: now() });
        const saved = await provider.BackchannelAuthenticationRequest.find(request.jti);
        if (saved?.exp === undefined) throw new Error('the request was not stored');
        const code = 'proposal' in details ? details.code : await unusedCode(requests, account.accountId);
        const clientNote = await clients.note(client.clientId);
        const message = 'is' in bindingMessage ? `${bindingMessage.is} ${code}` : sent;
        const asked = {
          authReqId: request.jti,
          user: account.accountId,
          clientId: client.clientId,
          clientName: client.clientName ?? client.clientId,
          clientNote,
          code,
          bindingMessage: typeof message === 'string' ? message : undefined,
          details: { ...details, code },
          expiresAt: saved.exp * 1000,
        };
        await requests.add(asked, most);
        if (clientNote !== undefined) await clients.used(client.clientId);
        parts.onAsked();
        failpoint('idp.asked');
        return code;
      },
      onAccessToken: async (token, payload) => {
        if ('grantId' in token && token.grantId !== undefined) {
          const { jti, grantId, expiration } = token;
          // Stored before the token is sent, because a token that is not stored counts as revoked.
          await parts.issued.note({ jti, grantId, expiresAt: now() + expiration * 1000 });
          await parts.authorized.used(grantId);
        }
        if (payload.authorization_details === undefined) return;
        if (replayed.jti !== undefined && faults.take('replayed_approval')) payload.jti = replayed.jti;
        replayed.jti = payload.jti;
      },
      nameOf: async (grantId) => {
        const client = await parts.authorized.find(grantId);
        return client === undefined ? undefined : oneLineClientName(client);
      },
      ownerOf: async (clientId) => (await clients.find(clientId))?.owner,
      fetch: outgoing.fetch,
      clientDocuments: outgoing.documents,
    }),
  );
  // Safe because identity-provider.ts sets the forwarded headers, so the address is always the issuer's.
  provider.proxy = true;
  provider.on('server_error', (ctx, error) => onError(`${ctx.method} ${ctx.path}: ${error.message}`));
  // The provider's types omit Koa's `error` event. Without a listener, Koa prints whole stack traces.
  const koa: NodeJS.EventEmitter = provider;
  koa.on('error', (error: Error, ctx?: KoaContextWithOIDC) => {
    if (!isRequestFault(error, ctx?.req)) onError(error.message);
  });
  provider.registerGrantType(
    TOKEN_EXCHANGE_GRANT,
    createTokenExchange({
      ...parts,
      gatewayClientId: parts.gatewayClient.client_id,
      verificationKey: parts.keys.signing.verificationKey,
    }),
    tokenExchangeParameters,
  );
  if (parts.companies.length > 0) {
    const grant = createCompanyGrant({ ...parts, onRefused: onError });
    provider.registerGrantType(JWT_BEARER_GRANT, grant, companyGrantParameters);
  }

  provider.use(
    limitProtocolRequests(
      parts.limits,
      [parts.gatewayClient, ...parts.servers].map(({ client_id }) => client_id),
    ),
  );
  provider.use(
    registrationGate({
      limits: parts.limits,
      clients,
      open: parts.openRegistrations,
      isPerson: async (sub) => (await parts.people.find(sub)) !== undefined,
      forget: parts.store.forgetClient,
      resolve: outgoing.resolvePing,
      ownPing: gatewayPingEndpoint(resource),
    }),
  );
  completeResponses(provider, { issuer, faults, companies: parts.companies });
  return provider;
}

/** Returns a random code that none of the person's pending requests has. */
async function unusedCode(requests: ApprovalRequests, user: string): Promise<string> {
  return generateUnusedCode((await requests.pending(user)).map(({ code }) => code));
}

const PING_TIMEOUT_MS = 5000;

/**
 * Builds the fetch functions for the library's requests: CIBA pings, clients' metadata documents, and keys of clients
 * in the owner's settings. Only hosts in the settings use the system's resolver, because the owner chose them.
 */
function outgoingRequests(options: ProtocolOptions) {
  /**
   * Resolves hosts that strangers can specify without signing in. A separate resolver, so that strangers can't delay
   * other lookups.
   */
  const resolve = options.resolve ?? createPublicResolver();
  /** Resolves hosts of clients that a person has registered. */
  const resolvePing = options.resolve ?? createPublicResolver();
  const ping = createPingSender({
    resource: options.resource,
    fetch: options.fetch ?? fetch,
    publicFetch: options.publicFetch ?? createPublicFetch(resolvePing),
    timeoutMs: PING_TIMEOUT_MS,
  });
  const reader = createDocumentReader(
    options.documents ?? createPublicFetch(resolve, { mostBytes: MAX_DOCUMENT_BYTES }),
  );
  const { knownClients = [], servers = [], companies = [], clientKeys = fetch } = options;
  const listed = [...knownClients, ...servers, ...companies.flatMap(({ clients }) => clients)];
  const keys = new Set(listed.flatMap(({ jwks_uri: uri }) => (uri === undefined ? [] : [new URL(uri).href])));
  const send: typeof fetch = (url, init) => {
    if (init?.method === 'POST') return ping(url, init);
    return keys.has(String(url)) ? clientKeys(url, init) : reader.fetch(url, init);
  };
  return { resolvePing, documents: { resolve, reader }, fetch: send };
}

/** Adds members that are missing from the library's responses, and removes members that must not be sent. */
function completeResponses(
  provider: Provider,
  {
    issuer,
    faults,
    companies,
  }: { readonly issuer: string; readonly faults: ActiveFaults; readonly companies: readonly Company[] },
): void {
  const metadata = {
    scopes_supported: ALL_SCOPES,
    response_modes_supported: ['query'],
    connected_accounts_endpoint: connectedAccountsUrl(issuer),
    authorization_details_types_metadata_endpoint: `${issuer}${DETAILS_TYPES_PATH}`,
    backchannel_outcome_endpoint: `${issuer}${OUTCOME_PATH}`,
    backchannel_user_code_parameter_supported: false,
    [CODE_ENTRY_SUPPORTED]: true,
    // Announces support for ID-JAG to a company's programs, as MCP's enterprise-managed authorization (§6) requires.
    ...(companies.length === 0 ? {} : { authorization_grant_profiles_supported: [ID_JAG_PROFILE] }),
  };
  const completeBody = (route: unknown, body: Record<string, unknown>, code: unknown) => {
    if (route === 'discovery') return { ...body, ...metadata };
    if (route === 'registration') return { ...body, scope: registeredScopes(body) };
    const isPolled = route === 'backchannel_authentication' || route === 'device_authorization';
    return isPolled ? { ...body, interval: POLL_INTERVAL_S, ...defined({ code }) } : body;
  };
  provider.on('grant.error', (ctx, { error, error_detail: detail }) => {
    // The library reports a missing proof as `invalid_grant`, which would mean that the client's sign-in has ended.
    if (error === 'invalid_grant' && detail === 'DPoP proof JWT not provided') {
      ctx.body = { error: 'invalid_dpop_proof', error_description: 'a DPoP proof is required' };
    }
  });
  provider.use(async (ctx, next) => {
    await next();
    const route: unknown = ctx.oidc?.route;
    if (ctx.status === 200 || ctx.status === 201) ctx.body = completeBody(route, ctx.body, ctx.state.approvalCode);
    const approved = route === 'token' && ctx.status === 200 && ctx.oidc.params.grant_type === CIBA_GRANT;
    if (approved) failpoint('idp.issued');
    if (approved && faults.take('lost_token_response')) {
      ctx.respond = false;
      ctx.req.socket.destroy();
    }
  });
}

type Context = TokenEndpointGrantContext<ExchangeParameters>;

interface TokenExchangeOptions extends ServerExchangeOptions {
  readonly gatewayClientId: string;
  readonly servers: readonly AgentServer[];
  readonly verificationKey: JWTVerifyGetKey;
  readonly vault: Vault;
}

/**
 * Implements token exchange (RFC 8693), with which the gateway gets access to the broker, and the home's servers get
 * access to the gateway.
 */
function createTokenExchange(options: TokenExchangeOptions) {
  const forServers = createServerExchange(options);
  const forGateway = createBrokerExchange(options);
  return async function tokenExchange(ctx: Context): Promise<void> {
    const { client, params } = ctx.oidc;
    const server = findServerByClient(options.servers, client.clientId);
    if (server === undefined && client.clientId !== options.gatewayClientId) {
      throw new errors.UnauthorizedClient('only the gateway and its servers may exchange tokens');
    }
    if (params.actor_token !== undefined || params.actor_token_type !== undefined) {
      throw new errors.InvalidRequest('actor_token is not supported');
    }
    if (params.subject_token_type !== ACCESS_TOKEN_TYPE) {
      throw new errors.InvalidRequest(`subject_token_type must be ${ACCESS_TOKEN_TYPE}`);
    }
    const issued = server === undefined ? [ACCESS_TOKEN_TYPE] : [ACCESS_TOKEN_TYPE, REFRESH_TOKEN_TYPE];
    if (params.requested_token_type !== undefined && !issued.includes(params.requested_token_type)) {
      throw new errors.InvalidRequest(`requested_token_type must be ${issued.join(' or ')}`);
    }
    return server === undefined ? await forGateway(ctx) : await forServers(ctx, server);
  };
}

/** Exchanges the token of a request to the gateway (`/v1` or `/mcp`) for the user's access token at the broker. */
function createBrokerExchange(options: TokenExchangeOptions) {
  return async (ctx: Context): Promise<void> => {
    const { params } = ctx.oidc;
    if (typeof params.audience !== 'string' || params.audience === '') {
      throw new errors.InvalidTarget('audience must name one connection');
    }
    const user = await subject(params.subject_token);
    const token = await options.vault.accessToken(user, params.audience).catch((error: unknown) => {
      throw vaultProblem(error);
    });
    ctx.body = {
      access_token: token.accessToken,
      issued_token_type: ACCESS_TOKEN_TYPE,
      token_type: 'Bearer',
      expires_in: token.expiresIn,
    };
  };

  async function subject(token: unknown): Promise<string> {
    const audience = [options.resource, mcpResource(options.resource)];
    const { sub, jti } = await verifySubjectToken(token, options, { audience });
    if ((await options.grants.liveGrant(jti)) === undefined) throw invalidSubjectTokenError('was revoked');
    return sub;
  }
}

function vaultProblem(error: unknown): unknown {
  if (!(error instanceof VaultError)) return error;
  return error.refusal === 'broker_unreachable'
    ? temporarilyUnavailableError(error.message)
    : new errors.InvalidTarget(error.message);
}

const MAX_CLIENTS = 20;

interface RegistrationOptions {
  readonly clients: RegisteredClientStore;
  readonly open: OpenRegistrationStore;
  readonly limits: Pick<RequestLimits, 'addressOf' | 'openRegistrations' | 'registrations'>;
  readonly isPerson: (sub: string) => Promise<boolean>;
  /** Deletes a client that the library stored but that is not allowed. */
  readonly forget: (clientId: string) => Promise<void>;
  readonly resolve: ResolveHost;
  /** The gateway's ping endpoint, which may be on this machine. */
  readonly ownPing: string;
}

type Next = () => Promise<unknown>;

/**
 * Guards registration. A client that requests approvals belongs to the person who registered it (RFC 7591 §3), and may
 * send requests only to that person. A client that was registered without a person can do nothing until someone allows
 * it on the consent page (`authorization/`).
 */
function registrationGate(options: RegistrationOptions) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    if (ctx.path !== protocolRoutes.registration || ctx.method !== 'POST') return void (await next());
    if (ctx.get('authorization') === '') return await registerOpenly(ctx, next, options);
    const token = await redeemRegistrationToken(ctx, options);
    if (token === undefined) return;
    let isKept = false;
    try {
      isKept = await registerFor(token, ctx, next, options);
    } finally {
      if (!isKept) await options.clients.restoreToken(token);
    }
  };
}

/** Registers a client for a person. @returns false if the client was not registered and an error response was sent */
async function registerFor(
  { owner, clientEndsAt: endsAt }: RegistrationToken,
  ctx: KoaContextWithOIDC,
  next: Next,
  options: RegistrationOptions,
): Promise<boolean> {
  const { clients, limits } = options;
  const wait = limits.registrations.take(owner);
  if (wait !== undefined) {
    respondTooManyRequests(ctx, wait);
    return false;
  }
  await next();
  const registered = registeredClient(ctx);
  if (registered === undefined) return false;
  const { clientId, clientName = clientId } = registered;
  // The host is resolved after the library stored the client. Until it has an owner, the client can't send requests.
  const fault = await pingProblem(registered.metadata(), options);
  if (fault === undefined) {
    const client = { clientId, owner, name: clientName, host: clientHost(registered.metadata()), endsAt };
    if (await clients.add(client, { most: MAX_CLIENTS })) return true;
  }
  await options.forget(clientId);
  if (fault === undefined) return respondTooManyClients(ctx);
  if (fault instanceof ResolverBusyError) respondTooManyRequests(ctx, RESOLVER_RETRY_S);
  else respond(ctx, 400, { error: 'invalid_client_metadata', error_description: fault });
  return false;
}

function respondTooManyClients(ctx: KoaContextWithOIDC): false {
  const description = `${MAX_CLIENTS} programs are already registered; remove one first`;
  respond(ctx, 403, { error: 'access_denied', error_description: description });
  return false;
}

function registeredClient(ctx: KoaContextWithOIDC): Client | undefined {
  return ctx.status === 201 ? ctx.oidc.entities.Client : undefined;
}

/** Registers a client without a person. `checkClientMetadata` restricts its metadata. */
async function registerOpenly(
  ctx: KoaContextWithOIDC,
  next: Next,
  { limits, open }: Pick<RegistrationOptions, 'limits' | 'open'>,
): Promise<void> {
  const address = limits.addressOf(ctx.req);
  // Only successful registrations count toward this limit. Failed requests are limited like those at other endpoints.
  const wait = limits.openRegistrations.wait(address);
  if (wait !== undefined) return respondTooManyRequests(ctx, wait);
  await next();
  if (ctx.status === 401) setChallenge(ctx);
  const registered = registeredClient(ctx);
  if (registered === undefined) return;
  limits.openRegistrations.take(address);
  await open.add(registered.clientId, address);
}

/** Redeems the registration token that a person signed. Returns undefined if an error response was sent. */
async function redeemRegistrationToken(
  ctx: KoaContextWithOIDC,
  { clients, isPerson }: RegistrationOptions,
): Promise<RegistrationToken | undefined> {
  const token = /^bearer +([A-Za-z0-9_-]{43})$/i.exec(ctx.get('authorization'))?.[1];
  const spent = token === undefined ? undefined : await clients.redeemToken(token);
  if (spent !== undefined && (await isPerson(spent.owner))) return spent;
  return respondUnauthorized(ctx, 'the registration token is unknown, used or expired');
}

function respondUnauthorized(ctx: KoaContextWithOIDC, description: string): undefined {
  respond(ctx, 401, { error: 'invalid_token', error_description: description });
  setChallenge(ctx);
  return undefined;
}

function setChallenge(ctx: KoaContextWithOIDC): void {
  ctx.set('www-authenticate', 'Bearer error="invalid_token"');
}

function respond(ctx: KoaContextWithOIDC, status: number, body: { error: string; error_description: string }): void {
  ctx.status = status;
  ctx.set('cache-control', 'no-store');
  ctx.body = body;
}

function clientHost({ backchannel_client_notification_endpoint: ping, client_uri: home }: AllClientMetadata) {
  const address = ping ?? home;
  return typeof address === 'string' && URL.canParse(address) ? new URL(address).hostname : undefined;
}

/**
 * Returns the problem with a client's ping endpoint, or undefined if the endpoint is allowed. A private address would
 * let strangers reach this network.
 */
async function pingProblem(
  { backchannel_client_notification_endpoint: ping }: AllClientMetadata,
  { ownPing, resolve }: Pick<RegistrationOptions, 'ownPing' | 'resolve'>,
): Promise<string | ResolverBusyError | undefined> {
  if (typeof ping !== 'string' || ping === ownPing) return undefined;
  if (!URL.canParse(ping)) return 'backchannel_client_notification_endpoint is not a URL';
  const { protocol, hostname } = new URL(ping);
  try {
    if (protocol === 'https:' && (await hasOnlyPublicAddresses(hostname, resolve))) return undefined;
  } catch (error) {
    if (error instanceof ResolverBusyError) return error;
    throw error;
  }
  return 'backchannel_client_notification_endpoint must be an https address on the public internet';
}
