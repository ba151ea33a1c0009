import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEYS, refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

describe('the broker refuses', () => {
  const order = { symbol: 'AAPL', side: 'buy', qty: '1', type: 'market', time_in_force: 'day' };
  const post = async (body: unknown, token?: string) => {
    const answer = await fetch(`${world.url}/v2/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token ?? (await world.token())}`,
        'content-type': 'application/json',
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as { code: number; message: string } };
  };

  it.each([
    ['a body that is no JSON', '{', 422, 40010001, /format/],
    ['an unknown symbol', { ...order, symbol: 'NOSUCH' }, 422, 42210000, /"NOSUCH" not found/],
    ['no side', { ...order, side: undefined }, 422, 40010001, /side is required/],
    ['an unknown type', { ...order, type: 'wish' }, 422, 40010001, /invalid type/],
    ['no quantity', { ...order, qty: undefined }, 422, 40010001, /qty or notional/],
    ['both quantity and amount', { ...order, notional: '5' }, 422, 40010001, /only one/],
    ['a quantity of zero', { ...order, qty: '0' }, 422, 40010001, /invalid qty/],
    ['a negative quantity', { ...order, qty: '-1' }, 422, 40010001, /invalid qty/],
    ['a quantity that is no number', { ...order, qty: '1e3' }, 422, 40010001, /invalid qty/],
    ['a limit order without a limit', { ...order, type: 'limit' }, 422, 42210000, /require a limit price/],
    ['a market order with a limit', { ...order, limit_price: '5' }, 422, 42210000, /must not have/],
    ['a limit off the tick', { ...order, type: 'limit', limit_price: '180.005' }, 422, 42210000, /sub-penny/],
    ['a fraction good till canceled', { ...order, qty: '0.5', time_in_force: 'gtc' }, 422, 42210000, /DAY/],
    [
      'a fraction of what has none',
      { ...order, symbol: 'BRK.A', qty: '0.5' },
      403,
      40310000,
      /not fractionable/,
    ],
    ['extended hours for a market order', { ...order, extended_hours: true }, 422, 42210000, /limit orders/],
    ['a trailing stop without a trail', { ...order, type: 'trailing_stop' }, 422, 42210000, /trail_price/],
    ['a client_order_id of 129', { ...order, client_order_id: 'x'.repeat(129) }, 422, 40010001, /128/],
    [
      'more than the account can buy',
      { ...order, qty: '100000' },
      403,
      40310000,
      /insufficient buying power/,
    ],
    [
      'an amount below a dollar',
      { ...order, qty: undefined, notional: '0.50' },
      403,
      40310000,
      /minimal amount/,
    ],
    ['a short sale', { ...order, symbol: 'TSLA', side: 'sell' }, 403, 40310000, /short/],
    ['more than is held', { ...order, side: 'sell', qty: '41' }, 403, 40310000, /insufficient qty/],
  ])('%s', async (_name, body, status, code, message) => {
    expect(await post(body)).toMatchObject({
      status,
      body: { code, message: expect.stringMatching(message) },
    });
    expect(world.broker.book()).toEqual([]);
  });

  it('a client_order_id used before, also by an order that is finished', async () => {
    expect((await post({ ...order, client_order_id: 'ta-once' })).status).toBe(200);
    expect(await post({ ...order, client_order_id: 'ta-once' })).toMatchObject({
      status: 422,
      body: { code: 40010001, message: expect.stringMatching(/unique/) },
    });
    expect(world.broker.book()).toHaveLength(1);
  });

  it('shares that another open order holds', async () => {
    const rest = { ...order, side: 'sell', type: 'limit', limit_price: '900', time_in_force: 'gtc' };
    expect((await post({ ...rest, qty: '30' })).status).toBe(200);
    expect(await post({ ...rest, qty: '11' })).toMatchObject({
      status: 403,
      body: { code: 40310000, available: '10', held_for_orders: '30', existing_qty: '40' },
    });
  });

  it('cash that another open order has set aside', async () => {
    const rest = { ...order, type: 'limit', limit_price: '100', time_in_force: 'gtc' };
    expect((await post({ ...rest, qty: '400' })).status).toBe(200);
    expect(await post({ ...rest, qty: '400' })).toMatchObject({
      status: 403,
      body: { code: 40310000, message: 'insufficient buying power' },
    });
  });

  it('an order that could trade with one of the same account', async () => {
    await post({ ...order, side: 'sell', type: 'limit', limit_price: '900', time_in_force: 'gtc' });
    expect(await post(order)).toMatchObject({
      status: 403,
      body: { code: 40310000, reject_reason: 'opposite side limit order exists' },
    });
    const apart = { ...order, type: 'limit', limit_price: '100', time_in_force: 'gtc' };
    expect((await post(apart)).status).toBe(200);
  });

  it('requests without a token, with an unknown one, with a wrong key pair, or with one that may not trade', async () => {
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${world.url}/v2/account`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer nonsense' })).toBe(401);
    const keys = (keyId: string, secret: string) =>
      status({ 'APCA-API-KEY-ID': keyId, 'APCA-API-SECRET-KEY': secret });
    expect(await keys(KEYS.alice.keyId, KEYS.alice.secret)).toBe(200);
    expect(await keys('k', 's')).toBe(403);
    expect(await keys('', '')).toBe(403);
    expect(await keys(KEYS.alice.keyId, KEYS.bob.secret)).toBe(403);
    expect(await keys(KEYS.alice.keyId, '')).toBe(403);
    expect(await status({ 'APCA-API-KEY-ID': KEYS.alice.keyId })).toBe(403);
    expect(await status({ 'APCA-API-SECRET-KEY': KEYS.alice.secret })).toBe(403);
    const reading = await world.token('alice', 'account:write');
    expect(await status({ authorization: `Bearer ${reading}` })).toBe(200);
    expect(await post(order, reading)).toMatchObject({ status: 403, body: { code: 40310000 } });
    expect(world.broker.book()).toEqual([]);
  });

  it("another account's order", async () => {
    await post({ ...order, client_order_id: 'ta-of-alice' });
    const [placed] = world.broker.book();
    const { trading } = await world.alpaca('bob');
    expect(await refusal(trading.orders.getOrderByOrderID({ orderId: placed?.id ?? '' }))).toMatchObject({
      status: 404,
    });
    expect(await refusal(trading.orders.deleteOrderByOrderID({ orderId: placed?.id ?? '' }))).toMatchObject({
      status: 404,
    });
    expect(await trading.orders.getAllOrders({ status: 'all' })).toEqual([]);
  });

  it('too many requests in a minute, and says when to come back', async () => {
    const small = await startWorld({ requestsPerMinute: 2 });
    const headers = { authorization: `Bearer ${await small.token()}` };
    const ask = () => fetch(`${small.url}/v2/clock`, { headers });
    expect((await ask()).headers.get('x-ratelimit-remaining')).toBe('1');
    await ask();
    const third = await ask();
    expect(third.status).toBe(429);
    expect(third.headers.get('x-ratelimit-reset')).toBe(
      String((Math.floor(small.clock.now() / 60_000) + 1) * 60),
    );
    await small.clock.advance(60_000);
    expect((await ask()).status).toBe(200);
    await small.close();
  });
});
