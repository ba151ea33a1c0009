import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { price } from '../../../src/trading/decimal.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { accountSchema, type Order, orderSchema } from '../../../src/trading/views.ts';
import { type World as PaperBroker, startWorld as startPaperBroker } from '../sandbox/paper-broker-world.ts';
import { startWorld, type World } from './support/world.ts';

/** Orders of several parts through the gateway to the sandbox's own broker, over HTTP. */
let paper: PaperBroker;
let world: World;
let account: string;

beforeEach(async () => {
  paper = await startPaperBroker({ now: Date.now() });
  world = await startWorld({
    broker: { url: paper.url, tokens: { alice: await paper.token('alice'), bob: await paper.token('bob') } },
  });
  paper.market.setPrice('AAPL', '100.00');
  account = accountSchema.parse(await read('/v1/account')).account;
});
afterEach(async () => {
  await world.close();
  await paper.close();
});

async function read(path: string): Promise<unknown> {
  const response = await world.get(path, await world.reader('market:read portfolio:read orders:read'));
  expect(response.status, path).toBe(200);
  return response.json();
}
const order = async ({ id }: Pick<Order, 'id'>) => orderSchema.parse(await read(`/v1/orders/${id}`));
const bracket = (changes: Partial<OrderDraft> = {}): OrderDraft =>
  world.draft({
    ...{ account, reference_price: '100.00', qty: '5', limit_price: '100.50', time_in_force: 'gtc' },
    ...{ order_class: 'bracket', take_profit_limit_price: '120.00', stop_loss_stop_price: '90.00' },
    ...changes,
  });
function oco(changes: Partial<OrderDraft> = {}): OrderDraft {
  const { limit_price: _, ...exits } = bracket({ side: 'sell', order_class: 'oco', ...changes });
  return exits;
}
async function answerTo(draft: OrderDraft): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await world.place(draft, await world.approve(draft));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
async function placed(draft: OrderDraft): Promise<Order> {
  const { status, body } = await answerTo(draft);
  expect([status, body]).toMatchObject([201, { client_order_id: draft.client_order_id }]);
  return orderSchema.parse(body);
}
/** Moves the market, and lets the broker look. */
const moved = (to: string) => {
  paper.market.setPrice('AAPL', price(to));
  paper.broker.settle();
};
async function cancelled({ id }: Pick<Order, 'id'>): Promise<number> {
  return (await world.cancel(id)).status;
}
const statesOf = ({ status, legs = [] }: Order) => [status, ...legs.map((leg) => leg.status)];

describe('an approved bracket', () => {
  it('is one order at the broker, with the stop’s bound beside its stop', async () => {
    const entry = await placed(bracket({ limit_price: '95.00' }));
    expect(entry).toMatchObject({
      ...{ order_class: 'bracket', status: 'new', limit_price: '95' },
      legs: [
        { side: 'sell', type: 'limit', limit_price: '120', status: 'held' },
        { side: 'sell', type: 'stop_limit', stop_price: '90', limit_price: '89.1', status: 'held' },
      ],
    });
    const { orders } = (await read('/v1/orders?status=open')) as { orders: Order[] };
    expect(orders.map(({ id, legs }) => [id, legs?.length])).toEqual([[entry.id, 2]]);
  });

  it('buys, and takes its profit: the stop is gone with it', async () => {
    const entry = await placed(bracket());
    expect(statesOf(await order(entry))).toEqual(['filled', 'new', 'held']);
    moved('121.00');
    expect(statesOf(await order(entry))).toEqual(['filled', 'filled', 'canceled']);
  });

  it('buys, and stops its loss at no less than the bound', async () => {
    const entry = await placed(bracket());
    moved('89.90');
    const { legs = [] } = await order(entry);
    expect(legs.map(({ status }) => status)).toEqual(['canceled', 'filled']);
    expect(Number(legs[1]?.filled_avg_price)).toBeGreaterThanOrEqual(89.1);
  });

  it('is cancelled whole without a tap while it has bought nothing', async () => {
    const entry = await placed(bracket({ limit_price: '95.00' }));
    expect(await cancelled(entry)).toBe(204);
    expect(statesOf(await order(entry))).toEqual(['canceled', 'canceled', 'canceled']);
  });

  it('that has bought protects a position by either of its exits: they are cancelled with a tap alone', async () => {
    const entry = await placed(bracket());
    for (const leg of (await order(entry)).legs ?? []) expect(await cancelled(leg)).toBe(409);
    expect(statesOf(await order(entry))).toEqual(['filled', 'new', 'held']);
  });

  it('whose answer was lost is found by its id, with every leg, and is one', async () => {
    paper.faults.set('broker_timeout_after_accept', 1);
    const draft = bracket({ limit_price: '95.00' });
    const found = await placed(draft);
    expect(found.legs).toHaveLength(2);
    const again = await world.place(draft, await world.approve(draft));
    expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true']);
    expect(paper.broker.book().filter(({ side }) => side === 'buy')).toHaveLength(1);
  });

  it.each<[string, Partial<OrderDraft>]>([
    ['another take profit', { take_profit_limit_price: '130.00' }],
    ['a lower stop', { stop_loss_stop_price: '80.00' }],
    ['a lower limit at the stop', { stop_loss_limit_price: '50.00' }],
    ['one exit less', { order_class: 'oto', stop_loss_stop_price: undefined as never }],
  ])('has just the exits that were approved: %s is refused', async (_, changes) => {
    const draft = bracket();
    const other = JSON.parse(JSON.stringify({ ...draft, ...changes })) as OrderDraft;
    const response = await world.place(other, await world.approve(draft));
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'details_mismatch' });
    expect(paper.broker.book()).toEqual([]);
  });
});

describe('the exits of what is held', () => {
  it('stand beside each other, and one ends the other', async () => {
    const exits = await placed(oco());
    expect(exits).toMatchObject({
      ...{ order_class: 'oco', side: 'sell', limit_price: '120' },
      legs: [{ type: 'stop_limit', stop_price: '90', limit_price: '89.1' }],
    });
    moved('89.90');
    expect(statesOf(await order(exits))).toEqual(['canceled', 'filled']);
  });

  it('are refused for more than is held and free', async () => {
    const refused = await answerTo(oco({ qty: '1000' }));
    expect(refused).toMatchObject({ status: 403, body: { reason: 'EXITS_EXCEED_POSITION' } });
  });
});
