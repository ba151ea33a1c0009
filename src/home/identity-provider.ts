import type { ServerResponse } from 'node:http';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import Provider, { type AdapterPayload, errors } from 'oidc-provider';
import { createTokenVerifier } from '../gateway/auth/token-verifier.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { clientAddress } from '../net/trusted-proxy.ts';
import { type AuthorizedClientStore, createAuthorizedClientStore } from '../store/home/authorized-clients.ts';
import { createIssuedTokenStore, createOidcStore } from '../store/home/oidc-store.ts';
import { createOpenRegistrationStore } from '../store/home/open-registrations.ts';
import { loadProviderKeys } from '../store/home/provider-keys.ts';
import { createRecoveryCodeStore } from '../store/home/recovery-codes.ts';
import { createRedeemedAssertionStore } from '../store/home/redeemed-assertions.ts';
import { createRegisteredClientStore } from '../store/home/registered-clients.ts';
import { createSessionStore } from '../store/home/sessions.ts';
import { createProofStore } from '../store/sql/proof-store.ts';
import { type ApprovalRequests, createApprovalRequests } from './identity-provider/approval-requests.ts';
import { createConsents } from './identity-provider/authorization/consents.ts';
import { createCompanyKeyLookup } from './identity-provider/companies/company.ts';
import { createConnectedAccountsApi } from './identity-provider/connected-accounts-api.ts';
import { createConnectionRequests } from './identity-provider/connection-requests.ts';
import {
  createDecisionDelivery,
  createDecisionRecorder,
  watchDecisionDelivery,
} from './identity-provider/deliver-decision.ts';
import { createDeviceCodes } from './identity-provider/device-codes.ts';
import type { ActiveFaults } from './identity-provider/faults.ts';
import { createGrants, type Grants } from './identity-provider/grants.ts';
import { createProtocolEndpoints } from './identity-provider/oidc-provider.ts';
import { createOutcomeEndpoint } from './identity-provider/outcome-endpoint.ts';
import { CLOCK_TOLERANCE_S } from './identity-provider/protocol/client-assertion.ts';
import { connectedAccountsUrl, type Handler, MAX_LONG_POLL_MS } from './identity-provider/protocol/protocol.ts';
import { isRequestFault } from './identity-provider/protocol/readable-form.ts';
import { createRequestLimits } from './identity-provider/protocol/request-limits.ts';
import { openCompanyRevocations } from './identity-provider/signals/company-revocations.ts';
import { createSignalEndpoint } from './identity-provider/signals/signal-endpoint.ts';
import { createSignedGrants } from './identity-provider/signed-grants.ts';
import { startSignalTransmitter } from './identity-provider/transmitter/transmitter.ts';
import type { IdentityProvider, IdentityProviderOptions } from './identity-provider-options.ts';
import { createApprovalSteps, hidesCode } from './phone/decision/approval-steps.ts';
import { createPhoneApp } from './phone/phone-app.ts';
import { createPhonePush } from './phone/push/phone-push.ts';
import { withSubscriptionCleanup } from './phone/push/push-subscriptions.ts';
import { createRouter, protocolPaths } from './router.ts';

/**
 * Interval in milliseconds for rotating keys, if due, and deleting unused registrations. A key is published one day
 * before it is used for signing.
 */
const UPKEEP_INTERVAL_MS = 3_600_000;

/** Creates a home's OpenID provider and the phone app. */
export async function createIdentityProvider(options: IdentityProviderOptions): Promise<IdentityProvider> {
  const { database, faults, issuer, resource, servers = [], companies = [], vault } = options;
  const { numberMatching = 'live', signalReceivers = [], signatures = 'off' } = options;
  const { onSignalled = () => undefined, fetch: send = fetch } = options;
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const onError = options.onError ?? ((message) => process.stderr.write(`identity provider: ${message}\n`));
  const closing = new AbortController();

  const state = await openProviderState(options, { clock, closing: closing.signal, deliver: () => delivery.all() });
  const { keys, requests, limits, grants, sessions, recovery } = state;
  const isRevoked = async (jti: string) => (await grants.liveGrant(jti)) === undefined;
  const { provider, handle: protocol } = createProtocolEndpoints({
    ...options,
    ...state,
    servers,
    companies,
    now,
    onError,
    // Notifies the client whose request this one replaced. If that fails, the next start retries it.
    onAsked: () => void delivery.all().catch((error: Error) => onError(error.message)),
  });
  const delivery = createDecisionDelivery({ provider, requests, resource, faults });
  await watchDecisionDelivery(delivery, { others: options.others, closing: closing.signal, onError });
  const { forgetUnused } = state.openRegistrations;
  await forgetUnused();
  const upkeep = startUpkeep([provider, forgetUnused], onError);
  const ending = watchGrantEndings(state.authorized, { settle: grants.settle, onError });

  const sending = { ...options, receivers: signalReceivers, signing: keys.signing, fetch: send };
  const transmitter = signalReceivers.length === 0 ? undefined : startSignalTransmitter({ ...sending, clock, onError });
  const running = { requests, clock, closing: closing.signal, onError };
  const push = await createPhonePush(
    { ...options, ...running, fetch: send, hidesCode: (request) => hidesCode(request, numberMatching) },
    options.push,
  );
  const connections = createConnectionRequests({ ...state, database, vault, clock });
  const deviceCodes = createDeviceCodes({ ...state, provider, issuer, resource, servers, now });
  const consents = createConsents({ ...state, provider, resource, now });
  const connectedAccounts = createConnectedAccountsApi({
    issuer,
    vault,
    requests: connections,
    verify: createTokenVerifier({
      provider: { metadata: async () => ({ issuer }), key: keys.signing.verificationKey },
      proofs: createProofStore(database, 'dpop_proofs'),
      clock,
      isRevoked,
      resource: connectedAccountsUrl(issuer),
    }),
    limits,
    now,
  });
  const phone = createPhoneApp({
    ...options,
    ...state,
    ...running,
    thirdPartyPasswords: options.thirdPartyPasswords ?? {},
    pairingSecret: options.phonePairingSecret,
    keys: options.keys,
    signatures,
    sessions: withSubscriptionCleanup(sessions, push.subscriptions),
    steps: createApprovalSteps({ database, clock, numberMatching, holdAbove: options.holdAbove }),
    decide: createDecisionRecorder({
      requests,
      delivery,
      signatures: signatures === 'required' ? options.keys : undefined,
    }),
    connections,
    authorized: ending.authorized,
    consents,
    deviceCodes,
    push,
  });
  const outcomes = createOutcomeEndpoint({ provider, limits, requests, deliver: delivery.one, now });
  const handle = createRouter({
    issuer,
    faults,
    clock,
    closing: closing.signal,
    protocol: withPublicAddress(issuer, protocol),
    phone: toHandler(phone, onError),
    connectedAccounts: toHandler(connectedAccounts, onError),
    transmits: transmitter !== undefined,
    signals:
      companies.length === 0
        ? undefined
        : toHandler(createSignalEndpoint({ ...state, companies, now, onTaken: onSignalled, onError }), onError),
    outcomes: toHandler(outcomes, onError),
  });
  return {
    callback: withErrorReporting(handle, onError),
    routes: [...protocolPaths, ...phone.routes.map(({ path }) => path)],
    isRevoked,
    endPerson: async (sub) => {
      await sessions.endAll(sub);
      await grants.endPerson(sub);
      await push.subscriptions.endPerson(sub);
      await recovery.end(sub);
    },
    notifyFill: push.notifyFill,
    notifyOrder: push.notifyOrder,
    signals: state.revocations,
    notifySignal: push.notifySignal,
    heldPolls: requests.waiting,
    close: async () => {
      await transmitter?.close();
      clearInterval(upkeep);
      ending.stop();
      closing.abort();
      await push.approvalNotifier.stopped();
    },
  };
}

function startUpkeep(work: readonly (() => Promise<unknown>)[], onError: (message: string) => void): NodeJS.Timeout {
  const run = () => {
    for (const piece of work) piece().catch((error: Error) => onError(error.message));
  };
  return setInterval(run, UPKEEP_INTERVAL_MS).unref();
}

/** Reports internal errors to the operator, and responds with only a status code. */
function withErrorReporting(handle: Handler, onError: (message: string) => void): IdentityProvider['callback'] {
  return (request, response) => {
    handle(request, response).catch((error: unknown) => {
      const fault = isRequestFault(error, request);
      if (!fault) onError(error instanceof Error ? error.message : 'unknown error');
      if (!response.headersSent) response.writeHead(fault ? 400 : 500);
      response.end();
    });
  };
}

async function openProviderState(
  options: IdentityProviderOptions,
  parts: { readonly clock: Clock; readonly closing: AbortSignal; readonly deliver: () => Promise<void> },
) {
  const { database, faults, companies = [] } = options;
  const { clock, closing, deliver } = parts;
  const now = () => clock.now();
  const keys = await loadProviderKeys(database, now);
  const requests = createApprovalRequests(database, clock, options.others);
  closing.addEventListener('abort', requests.close);
  const issued = createIssuedTokenStore(database, now);
  const clients = createRegisteredClientStore(database, now);
  const store = createOidcStore({
    database,
    now,
    refreshTokenReuse: options.refreshTokenReuse,
    onGrantEnded: (granted) => grants.ended(granted),
    beforeBackchannelRequest: (id, payload) =>
      holdCibaPoll(id, payload, { context: Provider.ctx, requests, faults, clock, closing }),
    // Rejects only the client's own request. A decision is still delivered to a client whose access has ended since.
    beforeClient: async (id) => {
      const context: Partial<PollContext> | undefined = Provider.ctx;
      if (context?.oidc !== undefined && context.oidc.client === undefined) await clients.requireNotEnded(id);
    },
  });
  const authorized = createAuthorizedClientStore(database, now);
  const openRegistrations = createOpenRegistrationStore(database, now);
  const grants: Grants = createGrants({
    database,
    store,
    issued,
    clients,
    requests,
    handleRevocations: authorized.handleRevocations,
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
    signed: createSignedGrants({
      keys: options.keys,
      signatures: options.signatures ?? 'off',
      gateway: options.gatewayIdentifier ?? options.resource,
      now,
    }),
    revocations: openCompanyRevocations({ database, companies, now }),
    redeemed: createRedeemedAssertionStore(database, { now, leewaySeconds: CLOCK_TOLERANCE_S }),
    companyKeyOf: createCompanyKeyLookup(companies, { fetch: options.fetch ?? fetch, clock }),
    sessions: createSessionStore({ database, formKey: keys.cookie, clock }),
    recovery: createRecoveryCodeStore({ database, clock }),
    limits: createRequestLimits({ clock, clientAddress: options.clientAddress }),
  };
}

/**
 * Sets the request headers from which the library derives its own address, so that endpoint URLs contain the public
 * address, even behind a TLS proxy.
 */
function withPublicAddress(issuer: string, handle: Handler): Handler {
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

/** Reports internal errors to the operator. By default, the framework would show them to the caller. */
function toHandler(app: Hono<{ Bindings: HttpBindings }>, onError: (message: string) => void): Handler {
  const outer = new Hono<{ Bindings: HttpBindings }>();
  outer.onError((error, context) => {
    if (error instanceof HTTPException) return error.getResponse();
    if (isRequestFault(error, context.env.incoming)) return context.text('The request was interrupted\n', 400);
    onError(error.message);
    return context.text('Something went wrong here\n', 500);
  });
  outer.route('/', app);
  return getRequestListener((request, env) => outer.fetch(request, env as HttpBindings), {
    overrideGlobalObjects: false,
  });
}

interface PollContext {
  readonly oidc: {
    readonly route?: string;
    readonly client?:
      | { readonly clientId: string; readonly backchannelTokenDeliveryMode?: string | undefined }
      | undefined;
  };
  readonly res: ServerResponse;
}

/**
 * Delays a client's CIBA poll until the person decides, the request expires, or 25 seconds pass (long polling, CIBA
 * Core §10.1.1). Called after the token endpoint has authenticated the client and while it loads the request.
 * Afterward, the provider loads the request's current state and responds accordingly.
 * @throws {errors.SlowDown} if the sandbox simulates the fault `slow_down`
 * @throws {errors.AuthorizationPending} if the client has disconnected, because it would never receive the token
 */
export async function holdCibaPoll(
  authReqId: string,
  payload: AdapterPayload,
  options: {
    context: PollContext | undefined;
    requests: ApprovalRequests;
    faults: ActiveFaults;
    clock: Clock;
    closing: AbortSignal;
  },
): Promise<void> {
  const { context, clock } = options;
  const client = context?.oidc.client;
  if (client === undefined || context?.oidc.route !== 'token' || client.clientId !== payload.clientId) return;
  if (options.faults.take('slow_down')) throw new errors.SlowDown();
  // A client that receives pings polls only to detect a lost ping.
  if (client.backchannelTokenDeliveryMode === 'ping') return;
  const decided = payload.grantId !== undefined || payload.error !== undefined;
  const left = (payload.exp ?? 0) * 1000 - clock.now();
  if (decided || left <= 0) return;

  const wake = new AbortController();
  const unsubscribe = options.requests.onDelivered(authReqId, () => wake.abort());
  const onClose = () => wake.abort();
  context.res.once('close', onClose);
  try {
    // The decision may have been delivered after the payload was read.
    const isDelivered = await options.requests.isDelivered(authReqId);
    const stop = AbortSignal.any([wake.signal, options.closing]);
    // The extra millisecond is needed because a timer may fire early, before the request has expired.
    if (!isDelivered) await clock.sleep(Math.min(MAX_LONG_POLL_MS, left + 1), stop);
  } catch {
    // Aborted by a decision, a disconnection or a shutdown. The check below detects a disconnection.
  } finally {
    unsubscribe();
    context.res.off('close', onClose);
  }
  if (context.res.destroyed || context.res.closed) throw new errors.AuthorizationPending();
}

/**
 * Interval in milliseconds for finding grants that other processes ended. A client's connections may stay open for this
 * long after its tokens have become invalid.
 */
const ENDINGS_INTERVAL_MS = 1000;

/**
 * Handles ended grants, immediately if this process ended them. Grants that another process ended, or that a failure or
 * crash left unhandled, are handled at the next poll.
 */
function watchGrantEndings(
  authorized: AuthorizedClientStore,
  on: { readonly settle: () => Promise<void>; readonly onError: (message: string) => void },
) {
  let stopped = false;
  const now = async () => {
    if (stopped) return;
    await on.settle().catch((error: Error) => on.onError(error.message));
  };
  const timer = setInterval(now, ENDINGS_INTERVAL_MS).unref();
  return {
    authorized: {
      list: authorized.list,
      end: async (user: string, clientId: string) => {
        if (await authorized.revoke(user, clientId)) await now();
      },
    },
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}
