import { describe, expect, it } from 'vitest';
import { cancel, eachWithBroker, logIn, open, orders, read, refused, statuses, world } from './paper-broker-desk.ts';
import { KEYS } from './paper-broker-world.ts';

eachWithBroker();

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

  const short = { ...order, symbol: 'TSLA', side: 'sell' };
  const cents = { ...order, qty: undefined, notional: '0.50' };
  const rests = { ...order, type: 'limit', limit_price: '100', time_in_force: 'gtc' };
  it.each([
    ['a body that is no JSON', '{', 40010001, /format/],
    ['an unknown symbol', { ...order, symbol: 'NOSUCH' }, 42210000, /"NOSUCH" not found/],
    ['no side', { ...order, side: undefined }, 40010001, /side is required/],
    ['an unknown type', { ...order, type: 'wish' }, 40010001, /invalid type/],
    ['no quantity', { ...order, qty: undefined }, 40010001, /qty or notional/],
    ['both quantity and amount', { ...order, notional: '5' }, 40010001, /only one/],
    ['a quantity of zero', { ...order, qty: '0' }, 40010001, /invalid qty/],
    ['a negative quantity', { ...order, qty: '-1' }, 40010001, /invalid qty/],
    ['a quantity that is no number', { ...order, qty: '1e3' }, 40010001, /invalid qty/],
    ['a limit order without a limit', { ...order, type: 'limit' }, 42210000, /require a limit price/],
    ['a market order with a limit', { ...order, limit_price: '5' }, 42210000, /must not have/],
    ['a limit off the tick', { ...order, type: 'limit', limit_price: '180.005' }, 42210000, /sub-penny/],
    ['a fraction good till canceled', { ...order, qty: '0.5', time_in_force: 'gtc' }, 42210000, /DAY/],
    ['a fraction of what has none', { ...order, symbol: 'BRK.A', qty: '0.5' }, 40310000, /not fractionable/],
    ['extended hours for a market order', { ...order, extended_hours: true }, 42210000, /limit orders/],
    ['a trailing stop without a trail', { ...order, type: 'trailing_stop' }, 42210000, /trail_price/],
    ['a client_order_id of 129', { ...order, client_order_id: 'x'.repeat(129) }, 40010001, /128/],
    ['more than the account can buy', { ...order, qty: '100000' }, 40310000, /insufficient buying power/],
    ['an amount below a dollar', cents, 40310000, /minimal amount/],
    ['a short sale', short, 40310000, /short/],
    ['more than is held', { ...order, side: 'sell', qty: '41' }, 40310000, /insufficient qty/],
  ])('%s', async (_name, body, code, message) => {
    const status = code === 40310000 ? 403 : 422;
    expect(await post(body)).toMatchObject({
      status,
      body: { code, message: expect.stringMatching(message) },
    });
    expect(statuses()).toEqual([]);
  });

  it('a client_order_id used before, also by an order that is finished', async () => {
    expect((await post({ ...order, client_order_id: 'ta-once' })).status).toBe(200);
    expect(await post({ ...order, client_order_id: 'ta-once' })).toMatchObject({
      status: 422,
      body: { code: 40010001, message: expect.stringMatching(/unique/) },
    });
    expect(statuses()).toHaveLength(1);
  });

  it('shares that another open order holds', async () => {
    const rest = { ...rests, side: 'sell', limit_price: '900' };
    expect((await post({ ...rest, qty: '30' })).status).toBe(200);
    expect(await post({ ...rest, qty: '11' })).toMatchObject({
      status: 403,
      body: { code: 40310000, available: '10', held_for_orders: '30', existing_qty: '40' },
    });
  });

  it('cash that another open order has set aside', async () => {
    expect((await post({ ...rests, qty: '400' })).status).toBe(200);
    expect(await post({ ...rests, qty: '400' })).toMatchObject({
      status: 403,
      body: { code: 40310000, message: 'insufficient buying power' },
    });
  });

  it('an order that could trade with one of the same account', async () => {
    await post({ ...rests, side: 'sell', limit_price: '900' });
    expect(await post(order)).toMatchObject({
      status: 403,
      body: { code: 40310000, reject_reason: 'opposite side limit order exists' },
    });
    expect((await post(rests)).status).toBe(200);
  });

  it('requests without a token, with an unknown one, with a wrong key pair, or with one that may not trade', async () => {
    const status = async (headers: Record<string, string>) =>
      (await fetch(`${world.url}/v2/account`, { headers })).status;
    expect(await status({})).toBe(401);
    expect(await status({ authorization: 'Bearer nonsense' })).toBe(401);
    const keys = (keyId: string, secret: string) => status({ 'APCA-API-KEY-ID': keyId, 'APCA-API-SECRET-KEY': secret });
    expect(await keys(KEYS.alice.keyId, KEYS.alice.secret)).toBe(200);
    for (const [keyId, secret] of [
      ['k', 's'],
      ['', ''],
      [KEYS.alice.keyId, KEYS.bob.secret],
      [KEYS.alice.keyId, ''],
    ] as const) {
      expect(await keys(keyId, secret)).toBe(403);
    }
    expect(await status({ 'APCA-API-KEY-ID': KEYS.alice.keyId })).toBe(403);
    expect(await status({ 'APCA-API-SECRET-KEY': KEYS.alice.secret })).toBe(403);
    const reading = await world.token('alice', 'account:write');
    expect(await status({ authorization: `Bearer ${reading}` })).toBe(200);
    expect(await post(order, reading)).toMatchObject({ status: 403, body: { code: 40310000 } });
    expect(statuses()).toEqual([]);
  });

  it("another account's order", async () => {
    await post({ ...order, client_order_id: 'ta-of-alice' });
    const [placed] = world.broker.book();
    await logIn('bob');
    await refused(read(placed ?? {}), 404);
    await refused(cancel(placed ?? {}), 404);
    expect(await orders.getAllOrders({ status: 'all' })).toEqual([]);
  });

  it('too many requests in a minute, and says when to come back', async () => {
    await open({ requestsPerMinute: 2 });
    const headers = { authorization: `Bearer ${await world.token()}` };
    const ask = () => fetch(`${world.url}/v2/clock`, { headers });
    expect((await ask()).headers.get('x-ratelimit-remaining')).toBe('1');
    await ask();
    const third = await ask();
    expect(third.status).toBe(429);
    expect(third.headers.get('x-ratelimit-reset')).toBe(String((Math.floor(world.clock.now() / 60_000) + 1) * 60));
    await world.clock.advance(60_000);
    expect((await ask()).status).toBe(200);
  });
});
