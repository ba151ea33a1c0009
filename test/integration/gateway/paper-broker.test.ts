import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plain } from '../../../src/trading/decimal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import {
  accountSchema,
  type Order,
  orderSchema,
  type Quote,
  quoteSchema,
} from '../../../src/trading/views.ts';
import { boundedOrder } from '../../../src/trading/worst-case.ts';
import {
  type World as PaperBrokerWorld,
  startWorld as startPaperBroker,
} from '../sandbox/paper-broker-world.ts';
import { startWorld, type World } from './support/world.ts';

/** The gateway in front of the sandbox's own broker, over HTTP; what the broker's adapter promises is in its contract test. */
let paper: PaperBrokerWorld;
let world: World;
let account: string;

async function start(options: Parameters<typeof startPaperBroker>[0] = {}) {
  paper = await startPaperBroker({ now: Date.now(), ...options });
  world = await startWorld({
    broker: { url: paper.url, tokens: { alice: await paper.token('alice'), bob: await paper.token('bob') } },
  });
  account = accountSchema.parse(await read('/v1/account')).account;
}
beforeEach(() => start());
afterEach(async () => {
  await world.close();
  await paper.close();
});

async function read(path: string): Promise<Record<string, unknown>> {
  const response = await world.get(path, await world.reader('market:read portfolio:read orders:read'));
  expect(response.status, path).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}
const quoteOf = async (symbol: string): Promise<Quote> => {
  const { quotes } = await read(`/v1/quotes?symbols=${symbol}`);
  return quoteSchema.parse((quotes as unknown[])[0]);
};
async function draftOf(changes: Partial<OrderDraft>): Promise<OrderDraft> {
  const { ask } = await quoteOf(changes.symbol ?? 'AAPL');
  const draft: Record<string, unknown> = {
    ...world.draft({ account, reference_price: ask, ...changes }),
  };
  if (changes.type !== 'limit' && changes.type !== 'stop_limit') delete draft.limit_price;
  if (changes.notional !== undefined) delete draft.qty;
  return draft as OrderDraft;
}
const booked = () => paper.broker.book().length;
async function refused(draft: OrderDraft): Promise<Record<string, unknown>> {
  const before = booked();
  const response = await world.place(draft, await world.approve(draft));
  expect(booked()).toBe(before);
  return { httpStatus: response.status, ...((await response.json()) as object) };
}
async function placed(draft: OrderDraft): Promise<Order> {
  const before = booked();
  const response = await world.place(draft, await world.approve(draft));
  const body: unknown = await response.json();
  expect([response.status, body]).toMatchObject([201, { client_order_id: draft.client_order_id }]);
  expect(booked()).toBe(before + 1);
  return orderSchema.parse(body);
}

describe('an approved order', () => {
  it.each<[string, Partial<OrderDraft>]>([
    ['market', { type: 'market' }],
    ['market by amount', { type: 'market', notional: '500.00' }],
    ['market in fractions', { type: 'market', qty: '0.5' }],
    ['limit', { type: 'limit', limit_price: '1.00' }],
    ['stop', { type: 'stop', stop_price: '9000.00' }],
    ['stop_limit', { type: 'stop_limit', stop_price: '9000.00', limit_price: '9001.00' }],
    ['trailing_stop', { type: 'trailing_stop', trail_percent: '2', side: 'sell' }],
    ['sell', { type: 'market', side: 'sell' }],
  ])('of kind %s reaches the book', async (_, changes) => {
    const draft = await draftOf({ qty: '1', ...changes });
    const order = await placed(draft);
    const { type, limit_price } = boundedOrder(draft);
    const limit = limit_price === undefined ? null : plain(limit_price);
    expect(order).toMatchObject({ type, limit_price: limit, side: draft.side, symbol: 'AAPL' });
    expect(paper.broker.book().at(-1)).toMatchObject({
      id: order.id,
      client_order_id: draft.client_order_id,
    });
  });

  it('can be read and cancelled afterwards', async () => {
    const order = await placed(await draftOf({ type: 'limit', limit_price: '1.00', qty: '1' }));
    expect(await read(`/v1/orders/${order.id}`)).toMatchObject({ status: 'new' });
    const response = await fetch(`${world.url}/v1/orders/${order.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await world.reader('orders:cancel')}` },
    });
    expect(response.status).toBe(204);
    expect(await read(`/v1/orders/${order.id}`)).toMatchObject({ status: 'canceled' });
  });

  it('whose answer was lost is one order, found by look-up', async () => {
    paper.faults.set('broker_timeout_after_accept', 1);
    const draft = await draftOf({ type: 'market', qty: '2' });
    const order = await placed(draft);
    const again = await world.place(draft, await world.approve(draft));
    expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true']);
    expect(orderSchema.parse(await again.json()).id).toBe(order.id);
  });

  it('is not used up while the broker is down', async () => {
    const draft = await draftOf({ type: 'market', qty: '1' });
    paper.faults.set('broker_5xx', Number.POSITIVE_INFINITY);
    expect(await refused(draft)).toMatchObject({ httpStatus: 502, code: 'broker_unavailable' });
    paper.faults.clear();
    await placed(draft);
  });
});

describe('the broker’s no', () => {
  it('for lack of buying power', async () => {
    const draft = await draftOf({ type: 'market', qty: '100000' });
    expect(await refused(draft)).toMatchObject({
      httpStatus: 422,
      code: 'insufficient_funds',
      broker_message: 'insufficient buying power',
    });
  });

  it('for shares that are not there', async () => {
    const draft = await draftOf({ type: 'market', side: 'sell', qty: '100000' });
    expect(await refused(draft)).toMatchObject({
      httpStatus: 422,
      code: 'broker_rejected',
      broker_message: expect.stringMatching(/^insufficient qty available for order \(requested: 100000, /),
    });
  });
});

it('a price that moved, an unknown symbol and another user’s account place nothing', async () => {
  const draft = await draftOf({ type: 'market', qty: '1' });
  paper.market.setPrice('AAPL', '1000.00');
  expect(await refused(draft)).toMatchObject({ code: 'price_moved' });
  paper.market.setPrice('AAPL', undefined);
  expect(await refused({ ...draft, symbol: 'ZZZZ' })).toMatchObject({ code: 'unknown_symbol' });
  const response = await world.place(draft, await world.approve(draft, { claims: { sub: 'bob' } }));
  expect([response.status, await response.json()]).toMatchObject([403, { code: 'account_mismatch' }]);
});

it('outside exchange hours a market order is refused with the next opening', async () => {
  await world.close();
  await paper.close();
  // A Sunday.
  await start({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') });
  const draft = await draftOf({ type: 'market', qty: '1' });
  expect(await refused(draft)).toMatchObject({
    httpStatus: 409,
    code: 'market_closed',
    next_open: '2026-11-23T14:30:00.000Z',
  });
  await placed(await draftOf({ type: 'limit', limit_price: '1.00', qty: '1' }));
});
