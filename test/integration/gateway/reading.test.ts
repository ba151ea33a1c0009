import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGateway } from '../../../src/gateway/gateway.ts';
import { createSqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import {
  accountSchema,
  barSchema,
  clockSchema,
  orderSchema,
  positionSchema,
  quoteSchema,
} from '../../../src/trading/views.ts';
import { type Answer, answerOf, startWorld, type World } from './support/world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());
beforeEach(() => {
  world.broker.readsFail = undefined;
  world.issuer.failExchange = undefined;
});

const read: World['read'] = (...asked) => world.read(...asked);
/** The status and the code of a refusal. */
const told = async (answer: Promise<Answer>) => {
  const { status, body } = await answer;
  return [status, body.code];
};
async function placeOne() {
  const { status, body } = await answerOf(world.order());
  expect(status).toBe(201);
  return orderSchema.parse(body);
}

describe('answers', () => {
  it('the account, with money as decimal strings', async () => {
    const { body, headers } = await read('/v1/account');
    expect(accountSchema.parse(body)).toMatchObject({
      account: 'PA3ALICE01',
      environment: 'paper',
      cash: '50000.00',
      equity: '100000.12',
      simulated: true,
    });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('the positions, with ratios cut to twelve places', async () => {
    const { body } = await read('/v1/positions');
    const [position] = body.positions as unknown[];
    expect(positionSchema.parse(position)).toMatchObject({
      symbol: 'AAPL',
      avg_entry_price: '150.123456',
      unrealized_plpc: '0.199012806123',
    });
  });

  it('quotes on the tick, with the name, labelled simulated', async () => {
    const { body } = await read('/v1/quotes?symbols=aapl,MSFT,AAPL');
    const quotes = (body.quotes as unknown[]).map((quote) => quoteSchema.parse(quote));
    expect(quotes.map(({ symbol }) => symbol)).toEqual(['AAPL', 'MSFT']);
    expect(quotes[0]).toMatchObject({
      name: 'AAPL Inc.',
      bid: '179.99',
      ask: '180.01',
      last: '180.00',
      previous_close: '178.50',
      simulated: true,
    });
  });

  it('bars, oldest first, on the tick', async () => {
    const { body } = await read('/v1/bars?symbol=AAPL&timeframe=1Day&limit=2');
    const bars = (body.bars as unknown[]).map((bar) => barSchema.parse(bar));
    expect(bars.map(({ at }) => at)).toEqual(['2029-12-27T05:00:00.000Z', '2029-12-28T05:00:00.000Z']);
    expect(bars[1]).toMatchObject({
      open: '178.10',
      high: '181.12',
      low: '0.1234',
      close: '180.10',
      volume: '1234567',
    });
  });

  it('the clock', async () => {
    expect(clockSchema.parse((await read('/v1/clock')).body)).toMatchObject({ is_open: true });
  });

  it('orders, one order, and one by client_order_id', async () => {
    const order = await placeOne();
    const { body } = await read('/v1/orders?status=all&limit=10&symbols=AAPL');
    expect(body.orders).toContainEqual(expect.objectContaining({ id: order.id }));
    expect((await read(`/v1/orders/${order.id}`)).body).toMatchObject({ id: order.id });
    expect((await world.lookUp(order.client_order_id)).body).toMatchObject({ id: order.id });
  });
});

describe('another user', () => {
  const bob = { sub: 'bob' };
  it('sees an account of their own', async () => {
    expect((await read('/v1/account', bob)).body).toMatchObject({ account: 'PA3BOB0001' });
    expect((await read('/v1/account')).body).toMatchObject({ account: 'PA3ALICE01' });
  });

  it('finds no order of alice’s by its id or its client_order_id, and cannot cancel it', async () => {
    const order = await placeOne();
    expect(await told(read(`/v1/orders/${order.id}`, bob))).toEqual([404, 'not_found']);
    expect(await told(world.lookUp(order.client_order_id, bob))).toEqual([404, 'not_found']);
    expect((await world.cancel(order.id, 'orders:cancel', bob)).status).toBe(404);
    expect(world.broker.book.find(({ id }) => id === order.id)?.status).toBe('accepted');
  });

  it('without a connected account is told to connect one', async () => {
    expect(await told(read('/v1/account', { sub: 'carol' }))).toEqual([409, 'account_not_connected']);
  });
});

describe('cancelling', () => {
  it('needs orders:cancel and no approval', async () => {
    const order = await placeOne();
    expect((await world.cancel(order.id, 'orders:read orders:write')).status).toBe(403);
    expect((await world.cancel(order.id)).status).toBe(204);
    expect(world.broker.book.find(({ id }) => id === order.id)?.status).toBe('canceled');
  });

  it('is refused for a filled order', async () => {
    const order = await placeOne();
    const held = world.broker.book.find(({ id }) => id === order.id);
    if (held !== undefined) held.status = 'filled';
    expect(await told(answerOf(world.cancel(order.id)))).toEqual([409, 'not_cancelable']);
  });

  it.each(['../v2/account', 'x%2F..%2Faccount', 'unknown'])('finds nothing at %s', async (id) => {
    const before = world.broker.requests.length;
    expect((await world.cancel(encodeURIComponent(id))).status).toBe(404);
    expect(world.broker.requests.slice(before)).toEqual([]);
  });
});

describe('wrong queries name their parameters', () => {
  it.each([
    ['/v1/quotes', ['symbols']],
    ['/v1/quotes?symbols=A$B', ['symbols.0']],
    // A long s, which in capitals is that of SPY.
    ['/v1/quotes?symbols=%C5%BFPY', ['symbols.0']],
    ['/v1/quotes?symbols=AAPL&symbols=MSFT', ['symbols']],
    ['/v1/quotes?symbols=AAPL&feed=sip', ['feed']],
    ['/v1/orders?status=done', ['status']],
    ['/v1/orders?until=yesterday', ['until']],
    ['/v1/orders?limit=0', ['limit']],
    ['/v1/orders?limit=501', ['limit']],
    ['/v1/bars?symbol=AAPL&timeframe=1Week', ['timeframe']],
    ['/v1/bars?symbol=AAPL&start=yesterday', ['start']],
    ['/v1/portfolio/history?period=month', ['period']],
    ['/v1/orders:by_client_order_id', ['client_order_id']],
  ])('%s', async (path, fields) => {
    expect(await read(path)).toMatchObject({ status: 400, body: { code: 'invalid_query', fields } });
  });

  it('what is traded under a name, and no more of it than asked', async () => {
    const { body } = await read('/v1/assets?search=msft');
    expect(body).toEqual({ assets: [{ symbol: 'MSFT', name: 'MSFT Inc.' }] });
    expect((await read('/v1/assets?search=frobnicators')).body).toEqual({ assets: [] });
    expect((await read('/v1/assets?search=')).status).toBe(400);
    expect((await read('/v1/assets?search=a&limit=21')).status).toBe(400);
  });

  it('an unknown symbol is told by name', async () => {
    const unknown = { code: 'unknown_symbol', symbols: ['ZZZZ'] };
    expect(await read('/v1/quotes?symbols=AAPL,ZZZZ')).toMatchObject({ status: 404, body: unknown });
    expect(await read('/v1/quotes?symbols=AAPL,ZZZZ&partial=true')).toMatchObject({
      status: 200,
      body: { quotes: [{ symbol: 'AAPL' }], missing: ['ZZZZ'] },
    });
    expect((await read('/v1/quotes?symbols=ZZZZ&partial=true')).body).toEqual({ quotes: [], missing: ['ZZZZ'] });
    expect(await told(read('/v1/bars?symbol=ZZZZ'))).toEqual([404, 'unknown_symbol']);
  });
});

describe('the broker’s token', () => {
  let fresh: World;
  beforeEach(async () => {
    fresh = await startWorld();
  });

  it('is exchanged once and kept, for each user apart', async () => {
    for (const sub of ['alice', 'bob', 'alice', 'bob']) await fresh.read('/v1/account', { sub });
    expect(fresh.issuer.exchanges).toEqual([
      { sub: 'alice', audience: 'paper-broker' },
      { sub: 'bob', audience: 'paper-broker' },
    ]);
  });

  it('is exchanged once for requests at the same time', async () => {
    await Promise.all(['/v1/account', '/v1/positions', '/v1/clock'].map((path) => fresh.read(path)));
    expect(fresh.issuer.exchanges).toHaveLength(1);
  });

  it('is exchanged again before it expires', async () => {
    await fresh.read('/v1/clock');
    fresh.clock.advance((900 - 29) * 1000);
    await fresh.read('/v1/clock');
    expect(fresh.issuer.exchanges).toHaveLength(2);
  });

  it('is forgotten when the broker refuses it', async () => {
    await fresh.read('/v1/clock');
    fresh.broker.tokens.clear();
    expect(await told(fresh.read('/v1/clock'))).toEqual([409, 'account_not_connected']);
    fresh.broker.tokens.set('new-token', 'alice');
    fresh.issuer.connected.set('alice', 'new-token');
    expect((await fresh.read('/v1/clock')).status).toBe(200);
  });

  it.each([
    [400, { error: 'invalid_grant' }, 401, 'token_revoked'],
    [401, { error: 'invalid_client' }, 502, 'token_exchange_failed'],
    [503, {}, 503, 'provider_unreachable'],
    [200, { access_token: 'x' }, 502, 'token_exchange_failed'],
  ])('refused by the provider with %i %o', async (providerStatus, answer, status, code) => {
    fresh.issuer.failExchange = { status: providerStatus, body: answer };
    expect(await told(fresh.read('/v1/clock'))).toEqual([status, code]);
  });

  it('never appears in an answer or in the log, nor does the caller’s', async () => {
    fresh.issuer.connected.set('alice', 'planted-broker-secret');
    const token = await fresh.reader('portfolio:read');
    const response = await fresh.get('/v1/account', token);
    const written = `${await response.text()}${[...response.headers]}${JSON.stringify(fresh.log)}`;
    expect(response.status).toBe(409);
    expect(written).not.toContain('planted-broker-secret');
    for (const part of token.split('.')) expect(written).not.toContain(part);
  });
});

describe('a broker in trouble', () => {
  it.each([
    [500, 502, 'broker_unavailable'],
    [429, 503, 'broker_busy'],
    [403, 422, 'broker_rejected'],
  ])('that answers %i is told as such', async (brokerStatus, status, code) => {
    world.broker.readsFail = brokerStatus;
    const answer = await read('/v1/account');
    expect(answer).toMatchObject({ status, body: { code } });
    expect(JSON.stringify(answer.body)).not.toContain('internal server error');
  });

  it('that answers nonsense is not an account of zero dollars', async () => {
    const fresh = await startWorld();
    fresh.broker.account = { cash: undefined };
    expect(await told(fresh.read('/v1/account'))).toEqual([502, 'broker_invalid_response']);
  });

  it('that cannot be reached is told as such', async () => {
    const fresh = await startWorld({ broker: { url: 'http://127.0.0.1:1' } });
    expect(await told(fresh.read('/v1/account'))).toEqual([502, 'broker_unavailable']);
  });
});

describe('what anyone may read', () => {
  it('is that the gateway is up', async () => {
    expect((await world.get('/healthz', undefined)).status).toBe(200);
  });

  it('is the metadata of the protected resource (RFC 9728)', async () => {
    const response = await world.get('/.well-known/oauth-protected-resource', undefined);
    expect(await response.json()).toMatchObject({
      resource: world.url,
      authorization_servers: [world.issuer.url],
      scopes_supported: expect.arrayContaining(['orders:write', 'messages:write', 'market:read']),
      bearer_methods_supported: ['header'],
      authorization_details_types_supported: ['trade_order', 'message_send'],
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256']),
    });
  });

  it('is nothing else', async () => {
    for (const path of ['/', '/v1', '/v1/orderss', '/v2/orders', '/v1/positions/AAPL']) {
      expect(await told(answerOf(world.get(path, undefined)))).toEqual([404, 'not_found']);
    }
  });
});

it('a token in the query does not count', async () => {
  const token = await world.reader('portfolio:read');
  const response = await world.get(`/v1/account?access_token=${token}`, undefined);
  expect(response.status).toBe(401);
  expect(JSON.stringify(world.log)).not.toContain(token);
});

it('a gateway whose issuer is neither https nor on loopback is not made', () => {
  expect(() =>
    createGateway({
      issuer: 'http://id.example.com',
      resource: world.url,
      exchange: { client_id: 'x', privateKey: { kty: 'EC' }, audience: 'paper-broker' },
      environment: 'paper',
      brokers: [{ name: 'broker', kind: 'alpaca', trading_url: world.url, simulated: true }],
      stores: createSqliteGatewayStores(world.database),
    }),
  ).toThrow(/https/);
});
