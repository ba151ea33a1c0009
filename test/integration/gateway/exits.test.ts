import { beforeEach, describe, expect, it } from 'vitest';
import { formatPrice } from '../../../src/trading/decimal.ts';
import { accountSchema, type Order, orderSchema } from '../../../src/trading/views.ts';
import type { OrderChanges } from '../../fixtures/builders.ts';
import type { World as PaperBroker } from '../sandbox/paper-broker-world.ts';
import { answerOf, startPaperWorld, type World } from './support/world.ts';

/** Orders of several parts through the gateway to the sandbox's own broker, over HTTP. */
let paper: PaperBroker;
let world: World;
let account: string;

beforeEach(async () => {
  ({ paper, world } = await startPaperWorld());
  paper.market.setPrice('AAPL', '100.00');
  account = accountSchema.parse(await read('/v1/account')).account;
});

const read = async (path: string): Promise<unknown> => (await world.read(path)).body;
const order = async ({ id }: Pick<Order, 'id'>) => orderSchema.parse(await read(`/v1/orders/${id}`));
const bracket = (changes: OrderChanges = {}): OrderChanges => ({
  account,
  reference_price: '100.00',
  limit_price: '100.50',
  time_in_force: 'gtc',
  order_class: 'bracket',
  take_profit_limit_price: '120.00',
  stop_loss_stop_price: '90.00',
  ...changes,
});
const oco = (changes: OrderChanges = {}) =>
  bracket({ side: 'sell', order_class: 'oco', limit_price: undefined, ...changes });
async function placed(changes: OrderChanges): Promise<Order> {
  const { draft, place } = await world.approved(changes);
  const { status, body } = await answerOf(place());
  expect([status, body]).toMatchObject([201, { client_order_id: draft.client_order_id }]);
  return orderSchema.parse(body);
}
/** Moves the market, and lets the broker look. */
const moved = (to: string) => {
  paper.market.setPrice('AAPL', formatPrice(to));
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
    const { place } = await world.approved(bracket({ limit_price: '95.00' }));
    const { status, body } = await answerOf(place());
    expect([status, orderSchema.parse(body).legs?.length]).toEqual([201, 2]);
    const again = await place();
    expect([again.status, again.headers.get('idempotent-replay')]).toEqual([200, 'true']);
    expect(paper.broker.book().filter(({ side }) => side === 'buy')).toHaveLength(1);
  });

  it.each<OrderChanges>([
    { take_profit_limit_price: '130.00' },
    { stop_loss_stop_price: '80.00' },
    { stop_loss_limit_price: '50.00' },
    { order_class: 'oto', stop_loss_stop_price: undefined },
  ])('has just the exits that were approved: %j is refused', async (changes) => {
    const { draft, token } = await world.approved(bracket());
    await world.refuses(world.place({ ...draft, ...changes }, token), 403, 'details_mismatch');
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
    const reason = 'EXITS_EXCEED_POSITION';
    await world.refuses(world.order(oco({ qty: '1000' })), 403, 'policy_denied', { reason });
  });
});
