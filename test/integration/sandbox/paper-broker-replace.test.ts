import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
let orders: Alpaca['trading']['orders'];
const start = async (options: Parameters<typeof startWorld>[0] = {}) => {
  world = await startWorld(options);
  orders = (await world.alpaca()).trading.orders;
};
beforeEach(() => start());
afterEach(() => world.close());

const far = { symbol: 'AAPL', side: 'buy', qty: '3', limitPrice: '100', timeInForce: 'gtc' } as const;
const stop = { symbol: 'MSFT', side: 'sell', qty: '2', stopPrice: '100', timeInForce: 'gtc' } as const;
const patch = (order: { id?: string }, patchOrderRequest: Record<string, string>) =>
  orders.patchOrderByOrderId({ orderId: order.id ?? '', patchOrderRequest });
const read = (order: { id?: string }) => orders.getOrderByOrderID({ orderId: order.id ?? '' });
const open = async () => (await orders.getAllOrders({ status: 'open' })).map(({ id }) => id);

describe('the broker replaces', () => {
  it('an order by one under an id of its own; the earlier one is closed, and each names the other', async () => {
    const first = await orders.limit(far);
    const second = await patch(first, { limitPrice: '101', qty: '4', clientOrderId: 'ta-instead' });
    expect(second).toMatchObject({
      clientOrderId: 'ta-instead',
      replaces: first.id,
      status: 'new',
      limitPrice: '101',
      qty: '4',
      timeInForce: 'gtc',
    });
    const earlier = await read(first);
    expect(earlier).toMatchObject({ status: 'replaced', replacedBy: second.id, limitPrice: '100' });
    expect(earlier.replacedAt).toBeInstanceOf(Date);
    expect(await open()).toEqual([second.id]);
    expect(await orders.getOrderByClientOrderId({ clientOrderId: 'ta-instead' })).toMatchObject({
      id: second.id,
    });
  });

  it('the time in force, the stop, and either trail', async () => {
    expect(await patch(await orders.limit(far), { timeInForce: 'day' })).toMatchObject({
      timeInForce: 'day',
      limitPrice: '100',
    });
    expect(await patch(await orders.stop(stop), { stopPrice: '110' })).toMatchObject({ stopPrice: '110' });
    const trailing = { symbol: 'AAPL', side: 'sell', qty: '1', timeInForce: 'gtc' } as const;
    await orders.deleteAllOrders();
    expect(
      await patch(await orders.trailingStop({ ...trailing, trailPercent: '10' }), { trail: '8' }),
    ).toMatchObject({ trailPercent: '8', trailPrice: undefined });
    expect(
      await patch(await orders.trailingStop({ ...trailing, trailPrice: '20' }), { trail: '15' }),
    ).toMatchObject({ trailPrice: '15', trailPercent: undefined });
  });

  it('all the shares held, though the earlier order has them', async () => {
    const held = (await (await world.alpaca()).trading.positions.getOpenPosition({ symbolOrAssetId: 'MSFT' }))
      .qty;
    const first = await orders.stop({ ...stop, qty: held ?? '' });
    expect(await patch(first, { stopPrice: '120' })).toMatchObject({ qty: held, stopPrice: '120' });
  });

  it('what is left of an order that was filled in part: the shares it has are counted', async () => {
    await world.close();
    await start({ partialFills: true });
    for (let i = 0; ; i++) {
      expect(i).toBeLessThan(60);
      const order = await orders.market({ symbol: 'F', side: 'buy', qty: '10', clientOrderId: `ta-${i}` });
      if (order.status !== 'partially_filled') continue;
      const second = await patch(order, { qty: '20' });
      expect(Number(second.qty)).toBe(20 - Number(order.filledQty));
      expect((await read(order)).status).toBe('replaced');
      return;
    }
  });

  it('and keeps what it replaced where the answer is lost', async () => {
    const first = await orders.limit(far);
    world.faults.set('broker_timeout_after_accept', 1);
    await expect(patch(first, { limitPrice: '101', clientOrderId: 'ta-lost' })).rejects.toThrow();
    expect(await orders.getOrderByClientOrderId({ clientOrderId: 'ta-lost' })).toMatchObject({
      replaces: first.id,
    });
  });
});

describe('the broker does not replace', () => {
  /** The refusal; the order stands as it stood. */
  const refused = async (order: { id?: string }, changes: Record<string, string>) => {
    const before = [await read(order), await open()];
    const answer = await refusal(patch(order, changes));
    expect([await read(order), await open()]).toEqual(before);
    return answer;
  };

  it('an order that is filled, cancelled or replaced', async () => {
    const filled = await orders.market({ symbol: 'KO', side: 'buy', qty: '1' });
    const cancelled = await orders.limit(far);
    await orders.deleteOrderByOrderID({ orderId: cancelled.id ?? '' });
    const replaced = await orders.limit(far);
    await patch(replaced, { limitPrice: '101' });
    for (const order of [filled, cancelled, replaced]) {
      expect(await refused(order, { limitPrice: '102' })).toMatchObject({
        status: 422,
        code: 42210000,
        message: expect.stringContaining('already in'),
      });
    }
  });

  it('an order that has not reached the market yet', async () => {
    await world.close();
    await start({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') });
    const order = await orders.limit(far);
    expect(order.status).toBe('accepted');
    expect(await refused(order, { limitPrice: '101' })).toMatchObject({ status: 422, code: 42210000 });
  });

  it('an order by amount, or into one', async () => {
    const byAmount = await orders.postOrder({
      postOrderRequest: {
        symbol: 'AAPL',
        side: 'buy',
        type: 'limit',
        notional: '50',
        limitPrice: '10',
        timeInForce: 'day',
      },
    });
    expect(await refused(byAmount, { limitPrice: '11' })).toMatchObject({
      status: 422,
      message: expect.stringContaining('notional'),
    });
    expect(await refused(await orders.limit(far), { notional: '50' })).toMatchObject({ status: 422 });
  });

  it('the quantity of an order in fractions, or by a fraction', async () => {
    const fraction = await orders.limit({ ...far, qty: '1.5', timeInForce: 'day' });
    expect(await refused(fraction, { qty: '2' })).toMatchObject({ status: 422, code: 42210000 });
    expect(await refused(await orders.limit(far), { qty: '2.5' })).toMatchObject({ status: 422 });
  });

  it('under a client_order_id that was used', async () => {
    const first = await orders.limit({ ...far, clientOrderId: 'ta-used' });
    expect(await refused(first, { limitPrice: '101', clientOrderId: 'ta-used' })).toMatchObject({
      status: 422,
      code: 40010001,
      message: expect.stringContaining('client_order_id'),
    });
  });

  it('by more than the account can pay, or holds', async () => {
    expect(await refused(await orders.limit(far), { qty: '100000' })).toMatchObject({
      status: 403,
      message: expect.stringContaining('buying power'),
    });
    expect(await refused(await orders.stop(stop), { qty: '100000' })).toMatchObject({
      status: 403,
      message: expect.stringContaining('insufficient qty'),
    });
  });

  it('with terms that do not go together', async () => {
    const order = await orders.limit(far);
    for (const changes of [{ stopPrice: '90' }, { trail: '5' }, { limitPrice: '100.005' }]) {
      expect(await refused(order, changes)).toMatchObject({ status: 422 });
    }
  });

  it('another user’s order', async () => {
    const order = await orders.limit(far);
    const bobs = (await world.alpaca('bob')).trading.orders;
    const asked = bobs.patchOrderByOrderId({
      orderId: order.id ?? '',
      patchOrderRequest: { limitPrice: '101' },
    });
    expect(await refusal(asked)).toMatchObject({ status: 404 });
  });
});
