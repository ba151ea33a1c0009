import { describe, expect, it } from 'vitest';
import {
  byClientId,
  cancel,
  eachWithBroker,
  inParts,
  open,
  orders,
  patch,
  placing,
  position,
  read,
  refused,
  world,
} from './paper-broker-desk.ts';

eachWithBroker();
const far = { symbol: 'AAPL', side: 'buy', qty: '3', limitPrice: '100', timeInForce: 'gtc' } as const;
const stop = { symbol: 'MSFT', side: 'sell', qty: '2', stopPrice: '100', timeInForce: 'gtc' } as const;
const openIds = async () => (await orders.getAllOrders({ status: 'open' })).map(({ id }) => id);

describe('the broker replaces', () => {
  it('an order by one under an id of its own; the earlier one is closed, and each names the other', async () => {
    const first = await orders.limit(far);
    const second = await patch(first, { limitPrice: '101', qty: '4', clientOrderId: 'ta-instead' });
    const terms = { status: 'new', limitPrice: '101', qty: '4', timeInForce: 'gtc' };
    expect(second).toMatchObject({ ...terms, clientOrderId: 'ta-instead', replaces: first.id });
    const earlier = await read(first);
    expect(earlier).toMatchObject({ status: 'replaced', replacedBy: second.id, limitPrice: '100' });
    expect(earlier.replacedAt).toBeInstanceOf(Date);
    expect(await openIds()).toEqual([second.id]);
    expect((await byClientId('ta-instead')).id).toBe(second.id);
  });

  it('the time in force, the stop, and either trail', async () => {
    const today = await patch(await orders.limit(far), { timeInForce: 'day' });
    expect(today).toMatchObject({ timeInForce: 'day', limitPrice: '100' });
    expect(await patch(await orders.stop(stop), { stopPrice: '110' })).toMatchObject({ stopPrice: '110' });
    const trailing = { symbol: 'AAPL', side: 'sell', qty: '1', timeInForce: 'gtc' } as const;
    await orders.deleteAllOrders();
    const percent = await patch(await orders.trailingStop({ ...trailing, trailPercent: '10' }), {
      trail: '8',
    });
    expect(percent).toMatchObject({ trailPercent: '8', trailPrice: undefined });
    const dollars = await patch(await orders.trailingStop({ ...trailing, trailPrice: '20' }), {
      trail: '15',
    });
    expect(dollars).toMatchObject({ trailPrice: '15', trailPercent: undefined });
  });

  it('all the shares held, though the earlier order has them', async () => {
    const held = (await position('MSFT')).qty;
    const first = await orders.stop({ ...stop, qty: held ?? '' });
    expect(await patch(first, { stopPrice: '120' })).toMatchObject({ qty: held, stopPrice: '120' });
  });

  it('what is left of an order that was filled in part: the shares it has are counted', async () => {
    await open({ partialFills: true });
    const order = await inParts((clientOrderId) =>
      orders.market({ symbol: 'F', side: 'buy', qty: '10', clientOrderId }),
    );
    const second = await patch(order, { qty: '20' });
    expect(Number(second.qty)).toBe(20 - Number(order.filledQty));
    expect((await read(order)).status).toBe('replaced');
  });

  it('and keeps what it replaced where the answer is lost', async () => {
    const first = await orders.limit(far);
    world.faults.set('broker_timeout_after_accept', 1);
    await expect(patch(first, { limitPrice: '101', clientOrderId: 'ta-lost' })).rejects.toThrow();
    expect((await byClientId('ta-lost')).replaces).toBe(first.id);
  });
});

describe('the broker does not replace', () => {
  const kept = async (order: { id?: string }, changes: Record<string, string>, ...how: (number | string)[]) => {
    const before = [await read(order), await openIds()];
    await refused(patch(order, changes), ...how);
    expect([await read(order), await openIds()]).toEqual(before);
  };

  it('an order that is filled, cancelled or replaced', async () => {
    const filled = await orders.market({ symbol: 'KO', side: 'buy', qty: '1' });
    const cancelled = await orders.limit(far);
    await cancel(cancelled);
    const replaced = await orders.limit(far);
    await patch(replaced, { limitPrice: '101' });
    for (const order of [filled, cancelled, replaced]) {
      await kept(order, { limitPrice: '102' }, 422, 42210000, 'already in');
    }
  });

  it('an order that has not reached the market yet', async () => {
    await open({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') });
    const order = await orders.limit(far);
    expect(order.status).toBe('accepted');
    await kept(order, { limitPrice: '101' }, 422, 42210000);
  });

  it('an order by amount, or into one', async () => {
    const terms = { symbol: 'AAPL', side: 'buy', type: 'limit', limitPrice: '10', timeInForce: 'day' };
    await kept(await placing(terms)({ notional: '50' }), { limitPrice: '11' }, 422, 'notional');
    await kept(await orders.limit(far), { notional: '50' }, 422);
  });

  it('the quantity of an order in fractions, or by a fraction', async () => {
    const fraction = await orders.limit({ ...far, qty: '1.5', timeInForce: 'day' });
    await kept(fraction, { qty: '2' }, 422, 42210000);
    await kept(await orders.limit(far), { qty: '2.5' }, 422);
  });

  it('under a client_order_id that was used', async () => {
    const first = await orders.limit({ ...far, clientOrderId: 'ta-used' });
    const changes = { limitPrice: '101', clientOrderId: 'ta-used' };
    await kept(first, changes, 422, 40010001, 'client_order_id');
  });

  it('by more than the account can pay, or holds', async () => {
    await kept(await orders.limit(far), { qty: '100000' }, 403, 'buying power');
    await kept(await orders.stop(stop), { qty: '100000' }, 403, 'insufficient qty');
  });

  it('with terms that do not go together', async () => {
    const order = await orders.limit(far);
    for (const changes of [{ stopPrice: '90' }, { trail: '5' }, { limitPrice: '100.005' }]) {
      await kept(order, changes, 422);
    }
  });

  it('another user’s order', async () => {
    const order = await orders.limit(far);
    await refused(patch(order, { limitPrice: '101' }, (await world.alpaca('bob')).trading.orders), 404);
  });
});
