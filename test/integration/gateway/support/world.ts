import { randomUUID } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair } from 'jose';
import { expect } from 'vitest';
import type { RequestLogEntry } from '../../../../src/gateway/door/door.ts';
import { createGateway, type Gateway } from '../../../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../../../src/gateway/gateway-options.ts';
import { type Rules, staticRules } from '../../../../src/gateway/policy/rules.ts';
import { utcSeconds } from '../../../../src/machine/clock.ts';
import { type HttpServer, listenOnLoopback } from '../../../../src/net/http-server.ts';
import type { GatewayStores } from '../../../../src/store/gateway-stores.ts';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { tradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import { problemSchema } from '../../../../src/trading/views.ts';
import { type AlpacaStandIn, startAlpacaStandIn } from './alpaca-stand-in.ts';
import { firstAnswer } from './first-answer.ts';
import { type TestClock, testClock } from './test-clock.ts';
import { type MintOptions, startTestIssuer, type TestIssuer } from './test-issuer.ts';

/** A real gateway on loopback, with an issuer and a broker that do as a test tells them. */
export interface World {
  readonly clock: TestClock;
  readonly issuer: TestIssuer;
  readonly broker: AlpacaStandIn;
  readonly url: string;
  readonly database: Database.Database;
  readonly log: RequestLogEntry[];
  /** What it decides by now. */
  rules(): Promise<Rules>;
  /** A sound order of alice's; each has its own client_order_id. */
  draft(changes?: Partial<OrderDraft>): OrderDraft;
  /** The token that alice's approval of this order gives. */
  approve(draft: OrderDraft, options?: MintOptions): Promise<string>;
  reader(scope: string, claims?: Record<string, unknown>): Promise<string>;
  place(body: unknown, token: string | undefined, headers?: Record<string, string>): Promise<Response>;
  get(path: string, token: string | undefined, headers?: Record<string, string>): Promise<Response>;
  /** Cancels an order by its id, by a token with this scope. */
  cancel(id: string, scope?: string, claims?: Record<string, unknown>): Promise<Response>;
  /** Starts another gateway beside it, on another machine's connections to the same data. */
  another(stores: GatewayStores): Promise<Pick<World, 'place' | 'get'> & { close(): Promise<void> }>;
  /** Ends the gateway and starts another on the same database, as after kill -9. */
  restart(): void;
  close(): Promise<void>;
}

export async function startWorld(
  options: Partial<
    Pick<
      GatewayOptions,
      | 'brokers'
      | 'fetch'
      | 'brokerTimeoutMs'
      | 'rates'
      | 'mounts'
      | 'messages'
      | 'rules'
      | 'detailsType'
      | 'requireBoundTokens'
      | 'allowedClients'
      | 'ownClients'
    >
  > & {
    /** Whose money it is said to be; paper unless said otherwise. */
    environment?: 'paper' | 'live';
    clock?: TestClock;
    broker?: { url: string; tokens?: Record<string, string> };
    /** Accounts are opened by key pairs, kept under this secret. */
    sealSecret?: string;
    /** What the gateway is given instead of its stores. */
    stores?: (stores: GatewayStores) => GatewayStores;
  } = {},
): Promise<World> {
  const { environment = 'paper', broker: given, sealSecret, stores: changed, ...passedOn } = options;
  const clock = options.clock ?? testClock();
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const server: HttpServer = await listenOnLoopback(0, () => 0);
  const issuer = await startTestIssuer({
    clock,
    audience: () => server.url,
    gatewayClient: { client_id: 'gateway-client', jwk: await exportJWK(publicKey) },
  });
  const broker = await startAlpacaStandIn();
  await firstAnswer(broker);
  for (const [token, user] of broker.tokens) issuer.connected.set(user, token);
  for (const [user, token] of Object.entries(given?.tokens ?? {})) issuer.connected.set(user, token);
  const brokerUrl = given?.url ?? broker.url;

  const database = new Database(':memory:');
  const log: RequestLogEntry[] = [];
  const own = sqliteGatewayStores(database);
  const stores = changed?.(own) ?? own;
  let gateway: Gateway;
  const gatewayOver = (stores: GatewayStores) =>
    createGateway({
      issuer: issuer.url,
      resource: server.url,
      ...(sealSecret === undefined
        ? { exchange: { client_id: 'gateway-client', privateKey, audience: 'paper-broker' } }
        : { sealSecret }),
      environment,
      brokers: options.brokers ?? [
        {
          name: 'broker',
          kind: 'alpaca',
          ...(sealSecret === undefined ? {} : { credentials: 'key_pair' as const }),
          trading_url: brokerUrl,
          simulated: true,
        },
      ],
      stores,
      clock,
      log: (entry) => log.push(entry),
      brokerTimeoutMs: options.brokerTimeoutMs ?? 2000,
      ...passedOn,
    });
  const serve = (at: HttpServer, { app }: Gateway) => {
    const listener = getRequestListener(app.fetch);
    at.serve((request, response) => void listener(request, response));
  };
  const start = () => {
    gateway = gatewayOver(stores);
    serve(server, gateway);
  };
  start();

  const bearer = (token: string | undefined) =>
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const requestsTo = (url: string): Pick<World, 'place' | 'get'> => ({
    place: (body, token, headers = {}) =>
      fetch(`${url}/v1/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(token), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    get: (path, token, headers = {}) => fetch(`${url}${path}`, { headers: { ...bearer(token), ...headers } }),
  });
  return {
    clock,
    issuer,
    broker,
    url: server.url,
    database,
    log,
    rules: () => (options.rules ?? staticRules()).current(),
    draft: (changes = {}) => ({
      account: 'PA3ALICE01',
      environment,
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
      type: 'limit',
      time_in_force: 'day',
      limit_price: '180.00',
      extended_hours: false,
      reference_price: '180.01',
      max_slippage: '0.01',
      client_order_id: `ta-${randomUUID()}`,
      expires_at: utcSeconds(clock.now() + 240_000),
      ...changes,
    }),
    approve: (draft, { claims, ...rest } = {}) =>
      issuer.mint({
        ...rest,
        claims: {
          scope: 'openid orders:write',
          authorization_details: [
            tradeOrderDetails(draft, {
              gateway: server.url,
              ...(options.detailsType === undefined ? {} : { type: options.detailsType }),
            }),
          ],
          ...claims,
        },
      }),
    reader: (scope, claims = {}) => issuer.mint({ claims: { scope, ...claims } }),
    ...requestsTo(server.url),
    cancel: async (id, scope = 'orders:cancel', claims = {}) =>
      fetch(`${server.url}/v1/orders/${id}`, {
        method: 'DELETE',
        headers: bearer(await issuer.mint({ claims: { scope, ...claims } })),
      }),
    async another(itsStores) {
      const itsServer = await listenOnLoopback(0, () => 0);
      const another = gatewayOver(itsStores);
      serve(itsServer, another);
      return {
        ...requestsTo(itsServer.url),
        close: async () => {
          await another.close();
          await itsServer.close();
        },
      };
    },
    restart: () => {
      gateway.close();
      start();
    },
    close: async () => {
      gateway.close();
      await Promise.all([server.close(), issuer.close(), broker.close()]);
      database.close();
    },
  };
}

/** The refusal is this one, is well-formed, and nothing reached the broker's book. */
export async function expectRefusal(
  world: World,
  response: Response,
  status: number,
  code: string,
  more: Record<string, unknown> = {},
): Promise<void> {
  const body: unknown = await response.json();
  expect(body).toMatchObject({ status, code, ...more });
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  problemSchema.parse(body);
  if (status === 401 || status === 403) {
    expect(response.headers.get('www-authenticate')).toContain(
      `resource_metadata="${world.url}/.well-known/oauth-protected-resource"`,
    );
  }
  expect(world.broker.book).toEqual([]);
  expect(world.broker.submissions).toEqual([]);
}
