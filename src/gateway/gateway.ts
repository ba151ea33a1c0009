import { Hono } from 'hono';
import { systemClock } from '../machine/clock.ts';
import { TRADE_ORDER_TYPE } from '../trading/approval-details.ts';
import { MESSAGE_SEND_TYPE } from '../trading/message-details.ts';
import { Refusal } from '../trading/refusal.ts';
import { approvalKernel } from './approvals.ts';
import { createAssetCatalogue } from './broker/asset-catalogue.ts';
import type { Broker } from './broker/broker.ts';
import { createBrokerTokens } from './broker/broker-token.ts';
import { brokerOf } from './broker/brokers.ts';
import type { Caller } from './door/caller.ts';
import { createDoor } from './door/door.ts';
import { createIdentityProvider } from './door/identity-provider.ts';
import { createProofStore } from './door/proof-store.ts';
import { METADATA_PATH, protectedResourceMetadata } from './door/protected-resource-metadata.ts';
import { createTokenVerifier } from './door/token-verifier.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { createMessageDesk } from './messages/message-desk.ts';
import { createMessageJournal } from './messages/message-journal.ts';
import { messageOutlets } from './messages/message-outlets.ts';
import { messagePorts } from './messages/message-ports.ts';
import { createOrderJournal } from './orders/order-journal.ts';
import { orderPorts } from './orders/order-ports.ts';
import { QUIET_MS } from './orders/order-submission.ts';
import { createOrderDesk } from './orders/place-order.ts';
import { builtinPolicies } from './policy/policy.ts';
import { connectionRoutes } from './routes/connections.ts';
import { marketRoutes } from './routes/market.ts';
import { messageRoutes } from './routes/messages.ts';
import { orderRoutes } from './routes/orders.ts';
import { portfolioRoutes } from './routes/portfolio.ts';
import { pingRoute, proposalRoutes } from './routes/proposals.ts';

export interface Gateway {
  readonly app: Hono;
  /** Refuses what comes from now on, and finishes what is being carried out. The database can be closed after that. */
  close(): Promise<void>;
}

const LONGEST_BROKER_TIMEOUT_MS = QUIET_MS / 2;

/**
 * The order gateway: a resource server, and the only door to the broker.
 * @throws {TradeAgentError} `invalid_config` for an issuer that is neither https nor on loopback
 */
export function createGateway(options: GatewayOptions): Gateway {
  const clock = options.clock ?? systemClock;
  const now = () => clock.now();
  const send = options.fetch ?? fetch;
  const detailsType = options.detailsType ?? TRADE_ORDER_TYPE;
  const messageDetailsType = options.messageDetailsType ?? MESSAGE_SEND_TYPE;
  const providerTimeoutMs = options.providerTimeoutMs ?? 10_000;
  const brokerTimeoutMs = Math.min(options.brokerTimeoutMs ?? 10_000, LONGEST_BROKER_TIMEOUT_MS);

  const journal = createOrderJournal(options.database);
  const provider = createIdentityProvider({
    issuer: options.issuer,
    fetch: send,
    timeoutMs: providerTimeoutMs,
    now,
  });
  const verify = createTokenVerifier({
    provider,
    resource: options.resource,
    proofs: createProofStore(options.database),
    clock,
    requireBoundTokens: options.requireBoundTokens,
    allowedClients: options.allowedClients && [...options.allowedClients, ...(options.ownClients ?? [])],
  });
  const tokens = createBrokerTokens({
    provider,
    exchange: options.exchange,
    fetch: send,
    timeoutMs: providerTimeoutMs,
    now,
  });
  const outlets = messageOutlets(options, provider, { fetch: send, timeoutMs: brokerTimeoutMs, now });
  const { environment } = options.broker;
  const { traits, connect: reach } = brokerOf(options.broker);
  const connect = reach(options.broker, {
    environment,
    fetch: send,
    timeoutMs: brokerTimeoutMs,
    assets: createAssetCatalogue(now),
  });
  const brokerFor = async (caller: Pick<Caller, 'sub' | 'accessToken'>): Promise<Broker> => {
    const token = await tokens.tokenFor(caller);
    return connect(token, () => tokens.forget(caller.sub, token));
  };

  let closed = false;
  const door = createDoor({
    verify: (credentials) => {
      if (closed) throw new Refusal(503, 'closing', 'the gateway is shutting down', { retryAfter: 5 });
      return verify(credentials);
    },
    resource: options.resource,
    clock,
    log: options.log ?? (() => {}),
  });
  const policies = [...builtinPolicies, ...(options.policies ?? [])];
  const desk = createOrderDesk({
    journal,
    policies,
    brokerFor,
    traits,
    gateway: options.resource,
    detailsType,
    environment,
    clock,
  });

  const messageDesk = createMessageDesk({
    journal: createMessageJournal(options.database),
    outlets,
    gateway: options.resource,
    detailsType: messageDetailsType,
    clock,
  });

  const kernel = approvalKernel(options, {
    clock,
    send,
    provider,
    detailsTypes: { order: options.detailsType, message: options.messageDetailsType },
    orders: orderPorts({ desk, policies, brokerFor, traits, maxSlippage: options.maxSlippage ?? '0.01' }),
    messages: messagePorts(messageDesk),
  });

  const app = new Hono();
  portfolioRoutes(app, door, brokerFor);
  marketRoutes(app, door, brokerFor, now);
  orderRoutes(app, door, brokerFor, desk);
  messageRoutes(app, door, messageDesk);
  if (kernel !== undefined) {
    const { phoneUrl } = options.approval ?? {};
    proposalRoutes(app, door, { kernel, now, approval: { method: 'ciba', phoneUrl } });
    pingRoute(app, door, kernel);
    kernel.start();
  }
  connectionRoutes(
    app,
    door,
    new Map([['broker', tokens], ...[...outlets].map(([name, outlet]) => [name, outlet.tokens] as const)]),
  );
  app.get(
    '/healthz',
    door.open((c) => c.json({ status: 'ok' })),
  );
  const metadata = protectedResourceMetadata({
    resource: options.resource,
    issuer: options.issuer,
    detailsTypes: [detailsType, messageDetailsType],
    requireBoundTokens: options.requireBoundTokens,
  });
  app.get(
    METADATA_PATH,
    door.open((c) => c.json(metadata)),
  );
  app.notFound(
    door.open(() => {
      throw new Refusal(404, 'not_found', 'there is nothing at this address');
    }),
  );

  return {
    app,
    async close() {
      closed = true;
      await kernel?.close();
    },
  };
}
