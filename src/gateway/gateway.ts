import { Hono } from 'hono';
import type { CibaAskingOptions } from '../approval/ciba/ciba-asking.ts';
import type { Quotas } from '../approval/quotas.ts';
import { type Clock, systemClock } from '../machine/clock.ts';
import type { GatewayStores } from '../store/gateway-stores.ts';
import { TRADE_ORDER_TYPE } from '../trading/approval-details.ts';
import type { MessageService } from '../trading/message.ts';
import { MESSAGE_SEND_TYPE } from '../trading/message-details.ts';
import { Refusal } from '../trading/refusal.ts';
import { approvalKernel } from './approvals.ts';
import { connectAlpaca } from './broker/alpaca/alpaca-broker.ts';
import { createAssetCatalogue } from './broker/asset-catalogue.ts';
import type { Broker } from './broker/broker.ts';
import { type BrokerExchange, createBrokerTokens } from './broker/broker-token.ts';
import type { Caller } from './door/caller.ts';
import { createDoor } from './door/door.ts';
import { createIdentityProvider } from './door/identity-provider.ts';
import { METADATA_PATH, protectedResourceMetadata } from './door/protected-resource-metadata.ts';
import type { RequestLog } from './door/request-log.ts';
import { createTokenVerifier } from './door/token-verifier.ts';
import { createMessageDesk } from './messages/message-desk.ts';
import { messageOutlets } from './messages/message-outlets.ts';
import { messagePorts } from './messages/message-ports.ts';
import { orderPorts } from './orders/order-ports.ts';
import { QUIET_MS } from './orders/order-submission.ts';
import { createOrderDesk } from './orders/place-order.ts';
import { builtinPolicies, type OrderPolicy } from './policy/policy.ts';
import { connectionRoutes } from './routes/connections.ts';
import { marketRoutes } from './routes/market.ts';
import { messageRoutes } from './routes/messages.ts';
import { orderRoutes } from './routes/orders.ts';
import { portfolioRoutes } from './routes/portfolio.ts';
import { pingRoute, proposalRoutes } from './routes/proposals.ts';

export interface GatewayOptions {
  /** The identity provider, whose tokens alone count; https, or http on loopback. Found by discovery. */
  readonly issuer: string;
  /** The gateway's own resource identifier (RFC 8707): its base URL, and the expected `aud`. */
  readonly resource: string;
  /** The RFC 9396 type that approvals have at this provider. */
  readonly detailsType?: string;
  readonly exchange: BrokerExchange;
  readonly broker: {
    readonly environment: 'paper' | 'live';
    readonly tradingUrl: string;
    readonly dataUrl: string;
    /** True where prices and fills are made up. */
    readonly simulated: boolean;
  };
  /** All that it keeps; their owner closes what is below them. */
  readonly stores: GatewayStores;
  readonly clock?: Clock;
  readonly fetch?: typeof fetch;
  /** The RFC 9396 type that approvals of messages have at this provider. */
  readonly messageDetailsType?: string;
  /** By what approved messages go out; by nothing where this is left out. */
  readonly messages?: { readonly [S in MessageService]?: MessageServiceOptions | undefined };
  /** Rules beside the built-in ones; each can only refuse. */
  readonly policies?: readonly OrderPolicy[];
  readonly log?: RequestLog;
  /** Told of what went wrong inside the kernel; never holds a token. */
  readonly onError?: (message: string) => void;
  /** One request to the broker, milliseconds; at most 15 s, so that a lost one is over before it may be repeated. */
  readonly brokerTimeoutMs?: number;
  /** One request to the identity provider, milliseconds. */
  readonly providerTimeoutMs?: number;
  /** How the owner is asked; proposals are refused where it is left out. */
  readonly approval?: GatewayApproval;
  /** Refuses access tokens that are bound to no key (RFC 9449). */
  readonly requireBoundTokens?: boolean;
  /** The clients whose access tokens count, beside `ownClients`; every client's where it is left out. */
  readonly allowedClients?: readonly string[];
  /** The clients our own users sign in by. */
  readonly ownClients?: readonly string[];
  /** A fraction: how far an order may go from its reference price where its proposal says nothing. */
  readonly maxSlippage?: string;
}

/** The gateway as the client that asks: what {@link CibaAskingOptions} need beside the gateway's own options. */
export interface GatewayApproval
  extends Pick<CibaAskingOptions, 'client' | 'privateKey' | 'provider' | 'details' | 'delivery'> {
  readonly method: 'ciba';
  readonly signature: 'off';
  /** Path of the gateway's record, `audit.jsonl`. */
  readonly auditFile: string;
  /** How much one client may ask of one person; {@link defaultQuotas} unless said otherwise. */
  readonly quotas?: Quotas;
  /** Seconds that a proposal may take at most. */
  readonly maxTtl: number;
  /** Where the person decides, where that is a page. */
  readonly phoneUrl?: string;
}

export interface MessageServiceOptions {
  /** The connection's name at the provider. */
  readonly audience: string;
  /** The API's base address; the service's own unless said otherwise. */
  readonly url?: string | undefined;
}

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

  const { stores } = options;
  const issuer = options.issuer.replace(/\/+$/, '');
  const provider = createIdentityProvider({
    issuer: options.issuer,
    fetch: send,
    timeoutMs: providerTimeoutMs,
    now,
  });
  const verify = createTokenVerifier({
    provider,
    resource: options.resource,
    proofs: stores.proofs,
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
  const connect = connectAlpaca({
    ...options.broker,
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
    journal: stores.orders,
    policies,
    brokerFor,
    gateway: options.resource,
    issuer,
    detailsType,
    environment: options.broker.environment,
    clock,
  });

  const messageDesk = createMessageDesk({
    journal: stores.messages,
    outlets,
    gateway: options.resource,
    issuer,
    detailsType: messageDetailsType,
    clock,
  });

  const kernel = approvalKernel(options, {
    clock,
    send,
    provider,
    detailsTypes: { order: options.detailsType, message: options.messageDetailsType },
    orders: orderPorts({ desk, policies, brokerFor, maxSlippage: options.maxSlippage ?? '0.01' }),
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
