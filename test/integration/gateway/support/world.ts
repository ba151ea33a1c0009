import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair } from 'jose';
import { expect, onTestFinished, TestRunner } from 'vitest';
import type { RequestLogEntry } from '../../../../src/gateway/auth/authenticator.ts';
import { createGateway, type Gateway } from '../../../../src/gateway/gateway.ts';
import type { GatewayOptions } from '../../../../src/gateway/gateway-options.ts';
import { createStaticRulesSource } from '../../../../src/gateway/policy/rules.ts';
import { formatUtcSeconds } from '../../../../src/machine/clock.ts';
import { listenOnLoopback } from '../../../../src/net/http-server.ts';
import type { GatewayStores } from '../../../../src/store/gateway-stores.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { buildTradeOrderDetails } from '../../../../src/trading/approval-details.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import { problemSchema } from '../../../../src/trading/views.ts';
import { defined } from '../../../../src/values/defined.ts';
import { anOrderDraft, type OrderChanges } from '../../../fixtures/builders.ts';
import { startWorld as startPaperBroker } from '../../sandbox/paper-broker-world.ts';
import { startAlpacaStandIn } from './alpaca-stand-in.ts';
import { firstAnswer } from './first-answer.ts';
import { type TestClock, testClock } from './test-clock.ts';
import { type MintOptions, startTestIssuer } from './test-issuer.ts';

/** An answer of the gateway, read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export async function answerOf(response: Response | Promise<Response>): Promise<Answer> {
  const answer = await response;
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text === '' ? {} : JSON.parse(text) };
}

/** Closed when the test that opened it is over. What is opened before all tests is closed by who opened it. */
export function closedAfter<T extends { close(): unknown }>(opened: T): T {
  if (TestRunner.getCurrentTest() !== undefined) onTestFinished(async () => void (await opened.close()));
  return opened;
}

type Claims = Record<string, unknown>;

export type World = Awaited<ReturnType<typeof startWorld>>;

/** A real gateway on loopback, with an issuer and a broker that do as a test tells them. */
export async function startWorld(
  options: Omit<Partial<GatewayOptions>, 'clock' | 'stores'> & {
    clock?: TestClock;
    broker?: { url: string; tokens?: Record<string, string> };
    /** What the gateway is given instead of its stores. */
    stores?: (stores: GatewayStores) => GatewayStores;
  } = {},
) {
  const { environment = 'paper', broker: given, sealSecret, stores: changed, ...passedOn } = options;
  const clock = options.clock ?? testClock();
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const server = await listenOnLoopback(0, () => 0);
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
  const own = createSqliteGatewayStores(database);
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
  const start = () => {
    gateway = gatewayOver(stores);
    server.serveApp(gateway.app);
  };
  start();

  const bearer = (token: string | undefined) => (token === undefined ? {} : { authorization: `Bearer ${token}` });
  const mint = (scope: string, claims: Claims = {}) => issuer.mint({ claims: { scope, ...claims } });
  const requestsTo = (url: string) => {
    const send = (method: string, path: string, token: string | undefined, body: unknown, headers: object = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...bearer(token), ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    return {
      send,
      get: (path: string, token: string | undefined, headers: Record<string, string> = {}) =>
        fetch(`${url}${path}`, { headers: { ...bearer(token), ...headers } }),
      place: (body: unknown, token: string | undefined, headers?: Record<string, string>) =>
        send('POST', '/v1/orders', token, body, headers),
    };
  };
  const requests = requestsTo(server.url);
  const { detailsType: type } = options;
  /** A sound order of alice's; each has its own client_order_id. */
  const draft = (changes: OrderChanges = {}) =>
    anOrderDraft({ environment, expires_at: formatUtcSeconds(clock.now() + 240_000), ...changes });
  /** The token that alice's approval of this order gives. */
  const approve = (order: OrderDraft, { claims, ...rest }: MintOptions = {}) => {
    const details = buildTradeOrderDetails(order, { gateway: server.url, ...defined({ type }) });
    const approved = { scope: 'openid orders:write', authorization_details: [details] };
    return issuer.mint({ ...rest, claims: { ...approved, ...claims } });
  };
  /** An order of alice's and her approval of it, as often as it is placed. */
  const approved = async (changes: OrderChanges = {}, claims: Claims = {}) => {
    const order = draft(changes);
    const token = await approve(order, { claims });
    return { draft: order, token, place: () => requests.place(order, token) };
  };
  return closedAfter({
    clock,
    issuer,
    broker,
    url: server.url,
    database,
    log,
    /** What it decides by now. */
    rules: () => (options.rules ?? createStaticRulesSource()).current(),
    draft,
    approve,
    approved,
    /** An order that alice approved as it is. */
    order: async (changes: OrderChanges = {}, claims: Claims = {}) => (await approved(changes, claims)).place(),
    reader: mint,
    ...requests,
    /** By alice's token for all reads, unless the claims say otherwise. */
    read: async (path: string, claims: Claims = {}) => {
      const scope = 'market:read portfolio:read orders:read orders:cancel';
      return answerOf(requests.get(path, await mint(scope, claims)));
    },
    lookUp: async (id: string, claims: Claims = {}) => {
      const path = `/v1/orders:by_client_order_id?client_order_id=${id}`;
      return answerOf(requests.get(path, await mint('orders:read', claims)));
    },
    /** Cancels an order by its id, by a token with this scope. */
    cancel: async (id: string, scope = 'orders:cancel', claims: Claims = {}) =>
      fetch(`${server.url}/v1/orders/${id}`, {
        method: 'DELETE',
        headers: bearer(await mint(scope, claims)),
      }),
    /** Starts another gateway beside it, on another machine's connections to the same data. */
    async another(itsStores: GatewayStores) {
      const itsServer = await listenOnLoopback(0, () => 0);
      const another = gatewayOver(itsStores);
      itsServer.serveApp(another.app);
      return {
        ...requestsTo(itsServer.url),
        close: async () => {
          await another.close();
          await itsServer.close();
        },
      };
    },
    /** Ends the gateway and starts another on the same database, as after kill -9. */
    restart: () => {
      gateway.close();
      start();
    },
    /** The refusal is this one, is well-formed, and nothing reached the broker's book. */
    async refuses(
      answer: Response | Promise<Response>,
      status: number,
      code: string,
      more: Record<string, unknown> = {},
    ): Promise<void> {
      const { headers, body, ...got } = await answerOf(answer);
      expect({ ...got, body }).toMatchObject({ status, body: { status, code, ...more } });
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(headers.get('cache-control')).toBe('no-store');
      problemSchema.parse(body);
      if (status === 401 || status === 403) {
        expect(headers.get('www-authenticate')).toContain(
          `resource_metadata="${server.url}/.well-known/oauth-protected-resource"`,
        );
      }
      expect(broker.book).toEqual([]);
      expect(broker.submissions).toEqual([]);
    },
    close: async () => {
      gateway.close();
      await Promise.all([server.close(), issuer.close(), broker.close()]);
      database.close();
    },
  });
}

/** The gateway in front of the sandbox's own broker, over HTTP; alice and bob are connected to it. */
export async function startPaperWorld(options: Parameters<typeof startPaperBroker>[0] = {}) {
  const paper = closedAfter(await startPaperBroker({ now: Date.now(), ...options }));
  const tokens = { alice: await paper.token('alice'), bob: await paper.token('bob') };
  const world = await startWorld({ broker: { url: paper.url, tokens } });
  return { paper, world };
}
