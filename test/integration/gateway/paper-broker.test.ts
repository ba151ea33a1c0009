import { beforeEach, describe, expect, it } from 'vitest';
import { toPlain } from '../../../src/trading/decimal.ts';
import { accountSchema, type Order, orderSchema, quoteSchema } from '../../../src/trading/views.ts';
import { boundedOrder } from '../../../src/trading/worst-case.ts';
import type { OrderChanges } from '../../fixtures/builders.ts';
import type { World as PaperBrokerWorld } from '../sandbox/paper-broker-world.ts';
import { answerOf, startPaperWorld, type World } from './support/world.ts';

/** The gateway in front of the sandbox's own broker, over HTTP; what the broker's adapter promises is in its contract test. */
let paper: PaperBrokerWorld;
let world: World;
let account: string;

async function start(options?: Parameters<typeof startPaperWorld>[0]) {
  ({ paper, world } = await startPaperWorld(options));
  account = accountSchema.parse((await world.read('/v1/account')).body).account;
}
beforeEach(() => start());

async function approved(changes: OrderChanges) {
  const { body } = await world.read('/v1/quotes?symbols=AAPL');
  const { ask } = quoteSchema.parse((body.quotes as unknown[])[0]);
  return world.approved({ account, reference_price: ask, ...changes });
}
type Approved = Awaited<ReturnType<typeof approved>>;
/** The answer, and how many orders the book has more. */
async function placing({ place }: Approved) {
  const before = paper.broker.book().length;
  const { status, body } = await answerOf(place());
  return { status, body, booked: paper.broker.book().length - before };
}
async function placed(order: Approved): Promise<Order> {
  const { client_order_id } = order.draft;
  const { body, ...answer } = await placing(order);
  expect({ ...answer, body }).toMatchObject({ status: 201, booked: 1, body: { client_order_id } });
  return orderSchema.parse(body);
}
const refused = (status: number, code: string, more = {}) => ({ status, booked: 0, body: { code, ...more } });

describe('an approved order', () => {
  it.each<OrderChanges>([
    { type: 'market', qty: '1' },
    { type: 'market', notional: '500.00' },
    { type: 'market', qty: '0.5' },
    { type: 'limit', qty: '1', limit_price: '1.00' },
    { type: 'stop', qty: '1', stop_price: '9000.00' },
    { type: 'stop_limit', qty: '1', stop_price: '9000.00', limit_price: '9001.00' },
    { type: 'trailing_stop', qty: '1', trail_percent: '2', side: 'sell' },
    { type: 'market', qty: '1', side: 'sell' },
  ])('%j reaches the book', async (changes) => {
    const approval = await approved(changes);
    const { draft } = approval;
    const order = await placed(approval);
    const { type, limit_price } = boundedOrder(draft);
    const limit = limit_price === undefined ? null : toPlain(limit_price);
    expect(order).toMatchObject({ type, limit_price: limit, side: draft.side, symbol: 'AAPL' });
    const { id, client_order_id } = order;
    expect(paper.broker.book().at(-1)).toMatchObject({ id, client_order_id });
  });

  it('can be read and cancelled afterwards', async () => {
    const { id } = await placed(await approved({ limit_price: '1.00', qty: '1' }));
    expect((await world.read(`/v1/orders/${id}`)).body).toMatchObject({ status: 'new' });
    expect((await world.cancel(id)).status).toBe(204);
    expect((await world.read(`/v1/orders/${id}`)).body).toMatchObject({ status: 'canceled' });
  });

  it('whose answer was lost is one order, found by look-up', async () => {
    paper.faults.set('broker_timeout_after_accept', 1);
    const order = await approved({ type: 'market', qty: '2' });
    const { id } = await placed(order);
    const { status, headers, body } = await answerOf(order.place());
    expect([status, headers.get('idempotent-replay'), body.id]).toEqual([200, 'true', id]);
  });

  it('is not used up while the broker is down', async () => {
    const order = await approved({ type: 'market', qty: '1' });
    paper.faults.set('broker_5xx', Number.POSITIVE_INFINITY);
    expect(await placing(order)).toMatchObject(refused(502, 'broker_unavailable'));
    paper.faults.clear();
    await placed(order);
  });
});

it.each([
  ['buy', 'insufficient_funds', /^insufficient buying power$/],
  ['sell', 'broker_rejected', /^insufficient qty available for order \(requested: 100000, /],
] as const)('the broker’s no to what is not there is told: %s', async (side, code, words) => {
  const order = await approved({ type: 'market', side, qty: '100000' });
  const broker_message = expect.stringMatching(words);
  expect(await placing(order)).toMatchObject(refused(422, code, { broker_message }));
});

it('a price that moved, an unknown symbol and another user’s account place nothing', async () => {
  const order = await approved({ type: 'market', qty: '1' });
  paper.market.setPrice('AAPL', '1000.00');
  expect(await placing(order)).toMatchObject(refused(409, 'price_moved'));
  paper.market.setPrice('AAPL', undefined);
  const unknown = await world.approved({ ...order.draft, symbol: 'ZZZZ' });
  expect(await placing(unknown)).toMatchObject(refused(422, 'unknown_symbol'));
  const bobs = await world.approved(order.draft, { sub: 'bob' });
  expect(await placing(bobs)).toMatchObject(refused(403, 'account_mismatch'));
});

it('outside exchange hours a market order is refused with the next opening', async () => {
  // A Sunday.
  await start({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') });
  const next_open = '2026-11-23T14:30:00.000Z';
  const order = await approved({ type: 'market', qty: '1' });
  expect(await placing(order)).toMatchObject(refused(409, 'market_closed', { next_open }));
  await placed(await approved({ limit_price: '1.00', qty: '1' }));
});
