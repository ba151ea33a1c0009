import type { ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import Provider, { type AdapterPayload, errors } from 'oidc-provider';
import { createTokenVerifier, type IsRevoked, type TokenVerifier } from '../gateway/door/token-verifier.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { clientAddress } from '../net/trusted-proxy.ts';
import { type AuthorizedClients, createAuthorizedClients } from '../store/home/authorized-clients.ts';
import { createIssuedTokens, createOidcStore, type Granted } from '../store/home/oidc-store.ts';
import { createOpenRegistrations } from '../store/home/open-registrations.ts';
import { loadProviderKeys, type ProviderKeys } from '../store/home/provider-keys.ts';
import { createRecoveryCodes } from '../store/home/recovery-codes.ts';
import { createRedeemedAssertions } from '../store/home/redeemed-assertions.ts';
import { createRegisteredClients } from '../store/home/registered-clients.ts';
import { createSessions } from '../store/home/sessions.ts';
import { sqliteProofStore } from '../store/sqlite/proof-store.ts';
import { frontDoor } from './front-door.ts';
import { type ApprovalRequests, createApprovalRequests } from './identity-provider/approval-requests.ts';
import { createConsents } from './identity-provider/authorization/consents.ts';
import { companyKeys } from './identity-provider/companies/company.ts';
import { createConnectedAccounts } from './identity-provider/connected-accounts.ts';
import { createConnectionRequests } from './identity-provider/connection-requests.ts';
import { createDecide, createDelivery, type Delivery } from './identity-provider/deliver-decision.ts';
import { createDeviceCodes } from './identity-provider/device-codes.ts';
import type { Faults } from './identity-provider/faults.ts';
import { createGrants, type Grants } from './identity-provider/grants.ts';
import { createProtocol } from './identity-provider/oidc-provider.ts';
import { createOutcomeEndpoint } from './identity-provider/outcome-endpoint.ts';
import { CLOCK_TOLERANCE } from './identity-provider/protocol/client-assertion.ts';
import {
  connectedAccountsUrl,
  type Handler,
  LOGIN_CLIENT_ID,
  LONG_POLL_MS,
} from './identity-provider/protocol/protocol.ts';
import { isRequestFault } from './identity-provider/protocol/readable-form.ts';
import { createRequestLimits } from './identity-provider/protocol/request-limits.ts';
import { openCompanyStanding } from './identity-provider/signals/company-standing.ts';
import { createSignalEndpoint } from './identity-provider/signals/signal-endpoint.ts';
import { startTransmitter, type TransmitterOptions } from './identity-provider/transmitter/transmitter.ts';
import type { IdentityProvider, IdentityProviderOptions } from './identity-provider-options.ts';
import { createApprovalSteps, isCodePicked } from './phone/decision/approval-steps.ts';
import { createPhoneApp } from './phone/phone-app.ts';
import type { PhoneServices } from './phone/phone-services.ts';
import { createPhonePush, type PhonePush } from './phone/push/phone-push.ts';
import { endingRings } from './phone/push/push-subscriptions.ts';

/** How often it is looked whether a key is due: a day before it signs is when it must be seen. */
const KEYS_LOOKED_AT_MS = 3_600_000;

/** A home's OpenID provider: device flow, code with PKCE, CIBA with RAR, DPoP, registration, token exchange; and the phone. */
export async function createIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { database, faults, issuer, resource, servers = [], companies = [], vault } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const onError = options.onError ?? ((message) => process.stderr.write(`identity provider: ${message}\n`));
  const closing = new AbortController();

  const state = openState(options, { clock, closing: closing.signal, deliver: () => delivery.all() });
  const { keys, requests, limits, grants, sessions, recovery } = state;
  const isRevoked = (jti: string) => grants.liveGrant(jti) === undefined;
  const { provider, handle: protocol } = createProtocol({
    ...options,
    ...state,
    servers,
    companies,
    now,
    verifySession: sessionTokens(options, { keys, clock, isRevoked }),
    onError,
    // One that gave way to the new one is told so; if that fails, the next start does it.
    onAsked: () => void delivery.all().catch((error: Error) => onError(error.message)),
  });
  const delivery = createDelivery({ provider, requests, resource, faults });
  await delivery.all();
  const looking = setInterval(provider, KEYS_LOOKED_AT_MS).unref();
  const ending = watchEndings(state.authorized, { onRevoked: grants.ended, onError });

  const transmitter = transmitterOf(options, { signing: keys.signing, clock, onError });
  const running = { requests, clock, closing: closing.signal, onError };
  const push = phonePush(options, running);
  const connections = createConnectionRequests({ database, vault, clock });
  const verify = ownTokens(options, { keys, clock, isRevoked });
  const deviceCodes = createDeviceCodes({ provider, issuer, resource, servers, grants, now });
  const authorized = {
    list: state.authorized.list,
    end: async (user: string, clientId: string) => {
      if (state.authorized.end(user, clientId)) await ending.now();
    },
  };
  const consents = createConsents({ provider, resource, authorized: state.authorized, now });
  const handle = frontDoor({
    issuer,
    faults,
    clock,
    closing: closing.signal,
    protocol: asPublic(issuer, protocol),
    phone: serve(
      phoneApp(options, {
        ...state,
        ...running,
        connections,
        authorized,
        consents,
        deviceCodes,
        delivery,
        push,
      }),
      onError,
    ),
    connectedAccounts: serve(
      createConnectedAccounts({ issuer, vault, requests: connections, verify, limits, now }),
      onError,
    ),
    transmits: transmitter !== undefined,
    signals: signalsOf(options, { ...state, now, onError }),
    outcomes: serve(
      createOutcomeEndpoint({ provider, limits, requests, deliver: delivery.one, now }),
      onError,
    ),
  });
  return {
    callback: answering(handle, onError),
    isRevoked,
    endPerson: async (sub) => {
      sessions.endAll(sub);
      await grants.endPerson(sub);
      push.subscriptions.endPerson(sub);
      recovery.end(sub);
    },
    tellFill: push.tellFill,
    tellOrder: push.tellOrder,
    signals: state.standing,
    tellSignalled: push.tellSignalled,
    heldPolls: requests.waiting,
    close: async () => {
      await transmitter?.close();
      clearInterval(looking);
      ending.stop();
      closing.abort();
      await push.bell.stopped();
    },
  };
}

/** Undefined where nobody is told anything. */
function transmitterOf(
  options: IdentityProviderOptions,
  parts: Pick<TransmitterOptions, 'signing' | 'clock' | 'onError'>,
) {
  const { signalReceivers: receivers = [], fetch: send = fetch } = options;
  return receivers.length === 0
    ? undefined
    : startTransmitter({ ...options, ...parts, receivers, fetch: send });
}

/** Where companies' signals are taken; undefined where there are no companies. */
function signalsOf(
  { companies = [], onSignalled = () => undefined }: IdentityProviderOptions,
  parts: Pick<ReturnType<typeof openState>, 'companyKeyOf' | 'standing' | 'limits'> & {
    readonly now: () => number;
    readonly onError: (message: string) => void;
  },
): Handler | undefined {
  if (companies.length === 0) return undefined;
  return serve(createSignalEndpoint({ ...parts, companies, onTaken: onSignalled }), parts.onError);
}

/** What goes wrong on the way is told to whoever runs it, and answered with a status alone. */
function answering(handle: Handler, onError: (message: string) => void): IdentityProvider['callback'] {
  return (request, response) => {
    handle(request, response).catch((error: unknown) => {
      const fault = isRequestFault(error, request);
      if (!fault) onError(error instanceof Error ? error.message : 'unknown error');
      if (!response.headersSent) response.writeHead(fault ? 400 : 500);
      response.end();
    });
  };
}

/** All that is kept in the database, and who may do what by it. */
function openState(
  options: IdentityProviderOptions,
  parts: { readonly clock: Clock; readonly closing: AbortSignal; readonly deliver: () => Promise<void> },
) {
  const { database, faults, people, companies = [] } = options;
  const { clock, closing, deliver } = parts;
  const now = () => clock.now();
  const keys = loadProviderKeys(database, now);
  const requests = createApprovalRequests(database, clock);
  const issued = createIssuedTokens(database, now);
  const clients = createRegisteredClients(database, now);
  const store = createOidcStore({
    database,
    now,
    refreshTokenReuse: options.refreshTokenReuse,
    onGrantEnded: (granted) => grants.ended(granted),
    beforeBackchannelRequest: (id, payload) =>
      holdPoll(id, payload, { context: Provider.ctx, requests, faults, clock, closing }),
  });
  const authorized = createAuthorizedClients(database, store, now);
  const openRegistrations = createOpenRegistrations(database, { forget: store.forgetClient, now });
  const grants: Grants = createGrants({
    database,
    store,
    issued,
    clients,
    requests,
    people,
    servers: options.servers ?? [],
    deliver,
    onRevoked: options.onRevoked ?? (async () => {}),
    now,
  });
  return {
    keys,
    requests,
    issued,
    clients,
    store,
    grants,
    authorized,
    openRegistrations,
    standing: openCompanyStanding({ database, companies, grants: store, now }),
    redeemed: createRedeemedAssertions(database, { now, leewaySeconds: CLOCK_TOLERANCE }),
    companyKeyOf: companyKeys(companies, { fetch: options.fetch ?? fetch, clock }),
    sessions: createSessions({ database, people, formKey: keys.cookie, clock }),
    recovery: createRecoveryCodes({ database, people, clock }),
    limits: createRequestLimits({ clock, clientAddress: options.clientAddress }),
  };
}

/** What rings: pushes, and notices by other ways. Neither tells a code that is to be picked. */
function phonePush(
  options: IdentityProviderOptions,
  running: Pick<Parameters<typeof createPhonePush>[0], 'requests' | 'clock' | 'closing' | 'onError'>,
): PhonePush {
  return createPhonePush(
    {
      ...options,
      ...running,
      fetch: options.fetch ?? fetch,
      hidesCode: (request) => isCodePicked(request, options.numberMatching ?? 'live'),
    },
    options.push,
  );
}

/** The person's side: who is signed in, what waits for them, and what they say to it. */
function phoneApp(
  options: IdentityProviderOptions,
  parts: Omit<ReturnType<typeof openState>, 'keys' | 'authorized'> &
    Pick<
      PhoneServices,
      'authorized' | 'connections' | 'consents' | 'deviceCodes' | 'clock' | 'closing' | 'push' | 'onError'
    > & {
      readonly delivery: Delivery;
    },
): Hono<{ Bindings: HttpBindings }> {
  const { about, database, issuer, people, keys, signatures = 'off' } = options;
  const { clock, delivery, push, requests, sessions } = parts;
  return createPhoneApp({
    ...parts,
    issuer,
    about,
    people,
    halting: options.halting,
    mandating: options.mandating,
    dashboards: options.dashboards,
    thirdPartyPasswords: options.thirdPartyPasswords ?? {},
    sessions: endingRings(sessions, push.subscriptions),
    pairingSecret: options.phonePairingSecret,
    steps: createApprovalSteps({ database, clock, numberMatching: options.numberMatching ?? 'live' }),
    keys,
    signatures,
    decide: createDecide({
      requests,
      delivery,
      signatures: signatures === 'required' ? keys : undefined,
    }),
  });
}

/** The library builds its endpoints' addresses from the request: they are the public ones, behind TLS or a proxy too. */
function asPublic(issuer: string, handle: Handler): Handler {
  const { host, protocol } = new URL(issuer);
  return (request, response) => {
    Object.assign(request.headers, {
      'x-forwarded-host': host,
      'x-forwarded-proto': protocol.slice(0, -1),
      'x-forwarded-for': clientAddress(request),
    });
    return handle(request, response);
  };
}

/** What goes wrong inside is told to whoever runs it, never to whoever asked; the framework would print it whole. */
function serve(app: Hono<{ Bindings: HttpBindings }>, onError: (message: string) => void): Handler {
  const outer = new Hono<{ Bindings: HttpBindings }>();
  outer.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (isRequestFault(error, context.env.incoming)) return context.text('The request broke off\n', 400);
    onError(error.message);
    return context.text('Something went wrong here\n', 500);
  });
  outer.route('/', app);
  return getRequestListener((request, env) => outer.fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
  });
}

/** The part of the provider's request context that matters here. */
interface PollContext {
  readonly oidc: { readonly route?: string; readonly client?: { readonly clientId: string } | undefined };
  readonly res: ServerResponse;
}

/**
 * Holds a client's CIBA poll until the person has decided, the request expires, or 25 seconds pass (CIBA Core §10.1.1,
 * long polling). Called when the token endpoint reads the request, that is after it knows the client; the provider
 * then answers by what it reads.
 * @throws {errors.SlowDown} where that fault is on
 * @throws {errors.AuthorizationPending} when the client has gone: a token must not be issued to nobody
 */
export async function holdPoll(
  authReqId: string,
  payload: AdapterPayload,
  options: {
    context: PollContext | undefined;
    requests: ApprovalRequests;
    faults: Faults;
    clock: Clock;
    closing: AbortSignal;
  },
): Promise<void> {
  const { context, clock } = options;
  if (context?.oidc.route !== 'token' || context.oidc.client?.clientId !== payload.clientId) return;
  if (options.faults.take('slow_down')) throw new errors.SlowDown();
  const decided = payload.grantId !== undefined || payload.error !== undefined;
  const left = (payload.exp ?? 0) * 1000 - clock.now();
  if (decided || left <= 0) return;

  const wake = new AbortController();
  const unsubscribe = options.requests.onDelivered(authReqId, () => wake.abort());
  const onClose = () => wake.abort();
  context.res.once('close', onClose);
  try {
    await clock.sleep(Math.min(LONG_POLL_MS, left), AbortSignal.any([wake.signal, options.closing]));
  } catch {
    // Decided, gone or closing: told apart below and by what the provider reads next.
  } finally {
    unsubscribe();
    context.res.off('close', onClose);
  }
  if (context.res.destroyed || context.res.closed) throw new errors.AuthorizationPending();
}

/** How long what a client has open may outlive its tokens, where another process ended it. */
const EVERY_MS = 1000;

/**
 * Acts on the endings that this process or another has written down: at once, again where it failed, and after a crash.
 * @returns `now` is for whoever has just written one here
 */
function watchEndings(
  authorized: Pick<AuthorizedClients, 'endings'>,
  on: { readonly onRevoked: (who: Granted) => Promise<void>; readonly onError: (message: string) => void },
): { readonly now: () => Promise<void>; readonly stop: () => void } {
  let stopped = false;
  const now = async () => {
    if (stopped) return;
    await authorized.endings(on.onRevoked).catch((error: Error) => on.onError(error.message));
  };
  const timer = setInterval(now, EVERY_MS).unref();
  return {
    now,
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** By what the provider knows its own tokens. */
interface VerifierParts {
  readonly keys: ProviderKeys;
  readonly clock: Clock;
  readonly isRevoked: IsRevoked;
}

/** Tokens that this provider itself has issued, for people's accounts elsewhere. */
function ownTokens(
  { issuer, database }: Pick<IdentityProviderOptions, 'issuer' | 'database'>,
  parts: VerifierParts,
): TokenVerifier {
  const { keys, clock, isRevoked } = parts;
  return createTokenVerifier({
    provider: {
      metadata: async () => ({ issuer }),
      key: keys.signing.verificationKey,
    },
    resource: connectedAccountsUrl(issuer),
    proofs: sqliteProofStore(database),
    clock,
    isRevoked,
  });
}

/** Tokens of people's own sessions, as the gateway takes them. */
function sessionTokens(
  { issuer, resource, database }: Pick<IdentityProviderOptions, 'issuer' | 'resource' | 'database'>,
  { keys, clock, isRevoked }: VerifierParts,
): TokenVerifier {
  return createTokenVerifier({
    provider: { metadata: async () => ({ issuer }), key: keys.signing.verificationKey },
    resource,
    base: issuer,
    proofs: sqliteProofStore(database),
    clock,
    isRevoked,
    requireBoundTokens: true,
    allowedClients: [LOGIN_CLIENT_ID],
  });
}
