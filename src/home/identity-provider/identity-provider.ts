import type { ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import Provider, { type AdapterPayload, errors } from 'oidc-provider';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { clientAddress } from '../../net/trusted-proxy.ts';
import type { Faults } from '../faults.ts';
import { createApprovalSteps } from '../phone/decision/approval-steps.ts';
import { isCodePicked } from '../phone/decision/picked-code.ts';
import { createPhoneApp } from '../phone/phone-app.ts';
import type { PhoneServices } from '../phone/phone-services.ts';
import { createPhonePush, type PhonePush } from '../phone/push/phone-push.ts';
import { endingRings } from '../phone/push/rings-end.ts';
import { type ApprovalRequests, createApprovalRequests } from './approval-requests.ts';
import { createAuthorizedClients } from './authorization/authorized-clients.ts';
import { createConsents } from './authorization/consents.ts';
import { createOpenRegistrations } from './authorization/open-registrations.ts';
import { watchEndings } from './authorization/watch-endings.ts';
import { CLOCK_TOLERANCE } from './client-assertion.ts';
import { companyKeys } from './companies/company-keys.ts';
import { createRedeemedAssertions } from './companies/redeemed-assertions.ts';
import { createConnectedAccounts } from './connected-accounts.ts';
import { createConnectionRequests } from './connection-requests.ts';
import { createDecide } from './decide.ts';
import { createDelivery, type Delivery } from './deliver-decision.ts';
import { createDeviceCodes } from './device-codes.ts';
import { frontDoor, type Handler } from './front-door.ts';
import { createGrants, type Grants } from './grants.ts';
import type { IdentityProvider, IdentityProviderOptions } from './identity-provider-options.ts';
import { createIssuedTokens } from './issued-tokens.ts';
import { createProtocol } from './oidc-provider.ts';
import { createOidcStore } from './oidc-store.ts';
import { createOutcomeEndpoint } from './outcome-endpoint.ts';
import { ownTokens, sessionTokens } from './own-tokens.ts';
import { LONG_POLL_MS } from './protocol.ts';
import { loadProviderKeys } from './provider-keys.ts';
import { createRecoveryCodes } from './recovery-codes.ts';
import { createRegisteredClients } from './registered-clients.ts';
import { isRequestFault } from './request-fault.ts';
import { createRequestLimits } from './request-limits.ts';
import { createSessions } from './sessions.ts';
import { openCompanyStanding } from './signals/company-standing.ts';
import { createSignalEndpoint } from './signals/signal-endpoint.ts';
import { startTransmitter, type TransmitterOptions } from './transmitter/transmitter.ts';

/** How often it is looked whether a key is due: a day before it signs is when it must be seen. */
const KEYS_LOOKED_AT_MS = 3_600_000;

/** A home's OpenID provider: device flow, code with PKCE, CIBA with RAR, DPoP, registration, token exchange; and the phone. */
export async function createIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { database, faults, issuer, resource, servers = [], companies = [], vault } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const onError = options.onError ?? ((message) => process.stderr.write(`identity provider: ${message}\n`));
  const closing = new AbortController();
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');

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
