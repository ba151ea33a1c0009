import { Hono } from 'hono';
import type { AccessControl } from '../approval/access.ts';
import type { ApprovalKernel } from '../approval/kernel/kernel.ts';
import type { FindBrokerName } from '../approval/kinds/execution.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import { dispatchFetch } from '../net/dispatch-fetch.ts';
import type { AccessStore } from '../store/access-store.ts';
import { TRADE_ORDER_DETAILS_TYPE } from '../trading/approval-details.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import { MESSAGE_SEND_DETAILS_TYPE } from '../trading/message-details.ts';
import type { OrderDraft } from '../trading/order.ts';
import { createGatewayKernel } from './approvals.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import { createCallerRateLimiter } from './auth/caller-rates.ts';
import { createIdentityProvider, type IdentityProvider } from './auth/identity-provider.ts';
import { createProtectedResourceMetadata, METADATA_PATH } from './auth/protected-resource-metadata.ts';
import { createTokenVerifier, requireUnrevokedToken, type TokenVerifier } from './auth/token-verifier.ts';
import type { OpenAccountFor } from './broker/accounts.ts';
import type { BrokerCredentials } from './broker/broker-credentials.ts';
import { SINGLE_BROKER_NAME } from './broker/named-broker.ts';
import { createOrderUpdateHub } from './broker/updates/order-update-hub.ts';
import { type BrokerAccess, createBrokerAccess } from './broker-access.ts';
import { type GatewayOptions, getErrorCallback } from './gateway-options.ts';
import { createMandatePorts } from './mandates/mandate-ports.ts';
import { createMandateService, type MandateService } from './mandates/mandate-service.ts';
import { createStandingOrderWatcher } from './mandates/standing-order-watcher.ts';
import { createMessageOutlets } from './messages/message-outlets.ts';
import { createMessagePorts, createMessageSender, type MessageSender } from './messages/message-service.ts';
import type { Mount } from './mounts/mount.ts';
import {
  addMountRoutes,
  computeMountAudience,
  computeMountMetadataPath,
  createInProcessCallers,
} from './mounts/mounted-routes.ts';
import { describeMandateExcess } from './orders/adoption.ts';
import { createOrderCheck, createOrderPorts, type OrderCheck } from './orders/order-ports.ts';
import { RESEND_DELAY_MS } from './orders/order-submission.ts';
import { createOrderService, type OrderService } from './orders/place-order.ts';
import { createReconciliation, type UnexplainedOrder } from './orders/reconciliation.ts';
import { createOwnerService, type OwnerService } from './owner-service.ts';
import { createGatewayPolicyService, type PolicyService } from './policy/files/policy-service.ts';
import { createMessageRules } from './policy/message-rules.ts';
import { createOrderRules } from './policy/order-rules.ts';
import { createStaticRulesSource, type RulesSource } from './policy/rules.ts';
import { type AuditLogReader, createAuditLogReader } from './record/audit-log-reader.ts';
import { createReceipts, type Receipts } from './record/receipts.ts';
import { createGatewayCheckpointReader, createRecordCheckpointWriter } from './record-checkpoints.ts';
import { createGatewayAccess } from './relations/people.ts';
import { rateLimitedProviderFetch } from './request-rates.ts';
import { addAccessRoutes } from './routes/access.ts';
import { addAccountRoutes, addConnectionRoutes } from './routes/accounts.ts';
import { createOwnerResolver } from './routes/for-owner.ts';
import { addHealthRoutes, measureClockOffsets } from './routes/health.ts';
import { addMandateRoutes } from './routes/mandates.ts';
import { addMarketRoutes } from './routes/market.ts';
import { addMessageRoutes } from './routes/messages.ts';
import { addOrderRoutes } from './routes/orders.ts';
import { addPolicyRoutes } from './routes/policy.ts';
import { addPortfolioRoutes } from './routes/portfolio.ts';
import { addPingRoute, addProposalRoutes, type ProposalRouteOptions } from './routes/proposals.ts';
import { addReceiptRoutes, addRecordRoutes } from './routes/record.ts';
import { addWatchlistRoutes } from './routes/watchlist.ts';
import { requiredSigningKeys } from './signatures.ts';

export interface Gateway {
  readonly app: Hono;
  /** Halts trading for people who were authenticated without a token. Undefined if `approval` is unset. */
  readonly halts: Pick<ApprovalKernel, 'halt' | 'trading' | 'news' | 'noted'> | undefined;
  readonly mandates: MandateService | undefined;
  readonly owner: ((sub: string) => OwnerService) | undefined;
  /** Withdraws the person's open proposals (only those of `clientId` if set), and forgets the person's tokens. */
  revoked(who: { readonly sub: string; readonly clientId?: string }): Promise<void>;
  /** Rejects new requests and waits for executions in progress. Afterwards, the caller can close the database. */
  close(): Promise<void>;
}

const LONGEST_BROKER_TIMEOUT_MS = RESEND_DELAY_MS / 2;

/**
 * Creates the order gateway: a resource server, and the only component that sends orders to the broker.
 * @throws {TradeAgentError} `invalid_config` if the issuer is insecure, broker credentials are missing, or approvals
 * must be signed but there are no keys
 */
export function createGateway(options: GatewayOptions): Gateway {
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const send = options.fetch ?? dispatchFetch;
  const { stores, detailsType = TRADE_ORDER_DETAILS_TYPE, messageDetailsType = MESSAGE_SEND_DETAILS_TYPE } = options;
  const providerTimeoutMs = options.providerTimeoutMs ?? 10_000;
  const brokerTimeoutMs = Math.min(options.brokerTimeoutMs ?? 10_000, LONGEST_BROKER_TIMEOUT_MS);

  const signatures = requiredSigningKeys(options);
  const issuer = options.issuer.replace(/\/+$/, '');
  const provider = createIdentityProvider({ issuer: options.issuer, fetch: send, timeoutMs: providerTimeoutMs, clock });
  const outlets = createMessageOutlets(options, provider, { fetch: send, timeoutMs: brokerTimeoutMs, now });
  const broker = createBrokerAccess(options, provider, {
    fetch: send,
    now,
    brokerTimeoutMs,
    providerTimeoutMs,
  });

  const entrance = createAdmission(options, provider, clock);
  const brokerFor = broker.accounts.open;
  const updates = createOrderUpdateHub({ brokerFor, clock, failed: errorNameReporter(options) });
  const { environment, maxSlippage = '0.01' } = options;
  const people = createGatewayAccess(options, { fetch: send, now });
  const source = options.rules ?? createStaticRulesSource();
  const shared = { ...stores, gateway: options.resource, issuer, signatures, brokerFor, environment, clock };
  const policy = createGatewayPolicyService(source, { ...shared, brokers: options.brokers });
  const rules = createOrderRules({ ...shared, journal: stores.orders, rules: source, relations: people.relations });
  const desk = createOrderService({ ...options, ...shared, journal: stores.orders, rules, detailsType });
  const messageDesk = createMessageSender({
    ...shared,
    journal: stores.messages,
    outlets,
    rules: createMessageRules({ ...shared, journal: stores.messages, rules: source }),
    detailsType: messageDetailsType,
  });

  const mandates = createMandatePorts({
    ...shared,
    brokerOf: brokerNames(options, brokerFor),
    maxSlippage,
    now,
    rules: source,
    isShown: options.approval?.details === 'rar',
  });
  const kernel = createGatewayKernel(options, {
    clock,
    send: rateLimitedProviderFetch(options, send),
    provider,
    detailsTypes: { order: options.detailsType, message: options.messageDetailsType },
    orders: createOrderPorts({
      orderService: desk,
      rules,
      brokerFor,
      updates,
      now,
      hasSeveralBrokers: hasSeveralBrokers(options),
      journal: stores.orders,
      maxSlippage,
      cover: mandates.cover,
    }),
    mandates,
    messages: createMessagePorts(messageDesk),
    policy,
    signatures,
    ...people,
    rules: source,
    isUnattended: broker.places.some((place) => place.isUnattended),
    mandateExcess: async ({ sub, kind, subject }) =>
      kind === 'order'
        ? await describeMandateExcess({ mandates: stores.mandates, clock }, { sub, draft: subject as OrderDraft })
        : undefined,
  });

  const own = createOwnServices(options, {
    broker,
    kernel,
    orderService: desk,
    clock,
    signed: signatures !== undefined,
  });
  const app = gatewayRoutes(options, {
    rules: source,
    entrance,
    now,
    broker,
    outlets,
    orderService: desk,
    messageSender: messageDesk,
    kernel,
    ...people,
    ...own,
    policy,
    check: createOrderCheck({ rules, brokerFor, maxSlippage, now }),
    detailsTypes: [detailsType, messageDetailsType],
  });
  const tokens = createTokenCleanup(stores, { broker, outlets });
  kernel?.start();
  for (const one of own.running) one.start();
  return {
    app,
    halts: kernel,
    mandates: own.mandates,
    owner: own.owner,
    revoked: (who) => withdrawAccess(who, { tokens, kernel }),
    async close() {
      entrance.shut();
      tokens.close();
      for (const one of own.running) await one.close();
      await kernel?.close();
      await updates.close();
    },
  };
}

/** Returns a function that finds the label of an account's broker. It returns undefined if there is only one broker. */
function brokerNames(options: GatewayOptions, brokerFor: OpenAccountFor): FindBrokerName {
  return async (who, account) => (hasSeveralBrokers(options) ? (await brokerFor(who, account)).at.label : undefined);
}

const hasSeveralBrokers = ({ brokers }: GatewayOptions): boolean => brokers.length > 1;

function errorNameReporter(options: GatewayOptions) {
  const onError = getErrorCallback(options);
  return (error: unknown): void => onError(error instanceof Error ? error.name : 'unknown');
}

/** Returns a callback that reports only the order's ID and account, because the operator is not the account's owner. */
function unexplainedOrderReporter(options: GatewayOptions) {
  const onError = getErrorCallback(options);
  return ({ account, order }: UnexplainedOrder): void =>
    onError(`the broker has an order that no proposal accounts for: order ${order.id} in account ${account}`);
}

function approvalDisplayInfo({ approval }: GatewayOptions): ProposalRouteOptions['approval'] {
  return { method: 'ciba', phoneUrl: approval?.phoneUrl };
}

/** Creates the services for a person's own data, and what runs automatically, such as standing orders. */
function createOwnServices(
  options: GatewayOptions,
  parts: Pick<RouteParts, 'kernel' | 'broker' | 'orderService'> & { readonly clock: Clock; readonly signed: boolean },
) {
  const { kernel, broker, orderService: desk, clock, signed } = parts;
  if (kernel === undefined || options.approval === undefined) {
    return { mandates: undefined, record: undefined, owner: undefined, receipts: undefined, running: [] };
  }
  const { mandates: granted, standing, proposals } = options.stores;
  const brokerFor = broker.accounts.open;
  const isUnattended = broker.places.some((place) => place.isUnattended);
  const now = () => clock.now();
  const watched = { ...options, mandates: granted, standing, kernel, brokerFor, clock };
  const mandates = createMandateService({ ...watched, proposals, now, noted: () => kernel.noted() });
  const own = options.approval;
  const record = createAuditLogReader(options.stores, () => createGatewayCheckpointReader(own), clock);
  const approval = approvalDisplayInfo(options);
  return {
    mandates,
    record,
    running: [
      ...(isUnattended ? [createStandingOrderWatcher(watched)] : []),
      createRecordCheckpointWriter(options, { ...own, sequence: () => kernel.sequence(), clock }),
      createReconciliation({
        journal: options.stores.orders,
        orderService: desk,
        kernel,
        brokerFor,
        isUnattended,
        clock,
        report: options.onUnexplainedOrder ?? unexplainedOrderReporter(options),
        onError: getErrorCallback(options),
      }),
    ],
    receipts: createReceipts(options, { kernel, signed, sealSecret: own.sealSecret, now }),
    owner: (sub: string) => {
      const journal = options.stores.orders;
      return createOwnerService(sub, { kernel, mandates, record, accounts: broker.accounts, approval, journal });
    },
  };
}

type TokenCleanup = ReturnType<typeof createTokenCleanup>;

/** Creates a function that forgets a person's tokens. Also forgets them when another process ends a client's access. */
function createTokenCleanup(
  { others }: Pick<GatewayOptions['stores'], 'others'>,
  { broker, outlets }: Pick<RouteParts, 'broker' | 'outlets'>,
) {
  const forget = (sub: string): void => {
    for (const { credentials } of broker.places) credentials.forget(sub);
    for (const { tokens } of outlets.values()) tokens.forget(sub);
  };
  const unsubscribe = others?.subscribe((news) => {
    if (news !== 'missed' && 'revoked' in news) forget(news.revoked);
  });
  return { forget, close: () => unsubscribe?.() };
}

async function withdrawAccess(
  who: Parameters<Gateway['revoked']>[0],
  { tokens, kernel }: { readonly tokens: TokenCleanup } & Pick<RouteParts, 'kernel'>,
): Promise<void> {
  tokens.forget(who.sub);
  await kernel?.revoked(who);
}

interface RouteParts {
  readonly rules: RulesSource;
  readonly entrance: Admission;
  readonly now: () => number;
  readonly broker: BrokerAccess;
  readonly outlets: ReturnType<typeof createMessageOutlets>;
  readonly orderService: OrderService;
  readonly messageSender: MessageSender;
  readonly kernel: ApprovalKernel | undefined;
  readonly access: AccessControl;
  readonly grants: AccessStore | undefined;
  readonly mandates: MandateService | undefined;
  readonly record: AuditLogReader | undefined;
  readonly receipts: Receipts | undefined;
  readonly policy: PolicyService;
  readonly check: OrderCheck;
  readonly detailsTypes: readonly string[];
}

/** Creates an `isConnected` that returns true if any broker is connected. If not, it throws the first error, if any. */
function anyConnected(places: BrokerAccess['places']): Pick<BrokerCredentials, 'isConnected'> {
  return {
    async isConnected(caller) {
      const asked = await Promise.allSettled(places.map(({ credentials }) => credentials.isConnected(caller)));
      if (asked.some((one) => one.status === 'fulfilled' && one.value)) return true;
      for (const one of asked) if (one.status === 'rejected') throw one.reason;
      return false;
    },
  };
}

function gatewayRoutes(options: GatewayOptions, parts: RouteParts): Hono {
  const { entrance, now, broker, outlets, kernel } = parts;
  const { authenticator } = entrance;
  const app = new Hono();
  const resolveOwner = createOwnerResolver(parts.access);
  const { places, accounts } = broker;
  addAccountRoutes(app, authenticator, { accounts, resolveOwner, ownClients: options.ownClients ?? [] });
  addPortfolioRoutes(app, authenticator, accounts.open, resolveOwner);
  addMarketRoutes(app, authenticator, accounts.open, now);
  addWatchlistRoutes(app, authenticator, accounts.open, resolveOwner);
  addOrderRoutes(app, authenticator, accounts.open, parts.orderService, resolveOwner, options.stores.orders);
  addPolicyRoutes(app, authenticator, {
    ...parts,
    stores: options.stores,
    brokerFor: accounts.open,
    ownClients: options.ownClients ?? [],
  });
  addMessageRoutes(app, authenticator, parts.messageSender);
  if (kernel !== undefined) {
    addProposalRoutes(app, authenticator, {
      kernel,
      now,
      resolveOwner,
      isRevoked: options.isRevoked,
      approval: approvalDisplayInfo(options),
    });
    addPingRoute(app, authenticator, kernel);
    addAccessRoutes(app, authenticator, { store: parts.grants, now });
    if (parts.mandates !== undefined) addMandateRoutes(app, authenticator, parts.mandates);
    if (parts.record !== undefined) addRecordRoutes(app, authenticator, parts.record);
    if (parts.receipts !== undefined) addReceiptRoutes(app, authenticator, parts.receipts);
  }
  addConnectionRoutes(
    app,
    authenticator,
    new Map<string, Pick<BrokerCredentials, 'isConnected'>>([
      ...places.map(({ name, credentials }) => [name, credentials] as const),
      // Connected if the person has an account at any broker.
      [SINGLE_BROKER_NAME, anyConnected(places)] as const,
      ...[...outlets].map(([name, outlet]) => [name, outlet.tokens] as const),
    ]),
  );
  const { proposals, databaseTime } = options.stores;
  const { issuer, clock = systemClock } = options;
  addHealthRoutes(app, authenticator, {
    askStore: () => proposals.version(''),
    isShut: entrance.isShut,
    clocks: () => measureClockOffsets({ issuer, clock }, databaseTime),
  });
  const metadata = createProtectedResourceMetadata({ ...options, detailsTypes: parts.detailsTypes });
  app.get(
    METADATA_PATH,
    authenticator.open((c) => c.json(metadata)),
  );
  for (const mount of options.mounts ?? []) {
    addMountRoutes(app, mount, {
      ...options,
      authenticator: entrance.authenticatorFor(mount),
      inProcessCallers: entrance.acting,
    });
  }
  app.notFound(
    authenticator.open(() => {
      throw new HttpProblem(404, 'not_found', 'there is no such endpoint');
    }),
  );
  return app;
}

type Admission = ReturnType<typeof createAdmission>;

/** Creates the authenticators of all endpoints. After `shut` is called, the authenticators reject every request. */
function createAdmission(options: GatewayOptions, provider: IdentityProvider, clock: Clock) {
  const { resource, stores, rates, log = () => {}, allowedClients, ownClients = [], mounts = [], isRevoked } = options;
  const rules = {
    provider,
    base: resource,
    isRevoked,
    proofs: stores.proofs,
    clock,
    allowedClients: allowedClients && [...allowedClients, ...ownClients],
  };
  const acting = createInProcessCallers();
  let closed = false;
  const requireOpen = () => {
    if (closed) throw new HttpProblem(503, 'closing', 'the gateway is shutting down', { retryAfter: 5 });
  };
  const whileOpen =
    (verify: TokenVerifier): TokenVerifier =>
    (credentials) => {
      requireOpen();
      return verify(credentials);
    };
  const audiences = [resource, ...mounts.map((mount) => computeMountAudience(resource, mount))];
  const others = (audience: string) => audiences.filter((one) => one !== audience);
  return {
    authenticator: createAuthenticator({
      verify: whileOpen(
        createTokenVerifier({
          ...rules,
          resource,
          requireBoundTokens: options.requireBoundTokens,
          otherAudiences: others(resource),
        }),
      ),
      async inProcessCaller(request) {
        const caller = acting.callerOf(request);
        if (caller === undefined) return undefined;
        requireOpen();
        // The caller's token was verified by the mount, and may have been revoked since then.
        await requireUnrevokedToken(caller, isRevoked);
        if (caller.expiresAt > clock.now()) return caller;
        throw new HttpProblem(401, 'token_expired', 'the access token has expired', {
          hint: 'Refresh the token.',
          challenge: { error: 'invalid_token' },
        });
      },
      limitRequest: createCallerRateLimiter(rates),
      resource,
      clock,
      log,
    }),
    /** Authenticates requests to a mount, whose tokens have a separate audience. */
    authenticatorFor(mount: Mount) {
      const audience = computeMountAudience(resource, mount);
      return createAuthenticator({
        verify: whileOpen(
          createTokenVerifier({
            ...rules,
            resource: audience,
            otherAudiences: others(audience),
            requireBoundTokens: mount.requireBoundTokens,
          }),
        ),
        inProcessCaller: async () => undefined,
        resource,
        metadataPath: computeMountMetadataPath(mount),
        challengeScopes: Object.keys(mount.scopes),
        clock,
        log,
      });
    },
    /** Registers callers for whom a mount makes requests to `/v1`. */
    acting,
    shut: () => {
      closed = true;
    },
    isShut: () => closed,
  };
}
