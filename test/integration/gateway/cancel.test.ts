import { beforeEach, describe, expect, it } from 'vitest';
import { cancelApprovedOrder } from '../../../src/gateway/orders/cancel-order.ts';
import type { CancelSubject } from '../../../src/trading/kinds/cancel.ts';
import type { StandInOrder } from './support/alpaca-stand-in.ts';
import { type DeskWorld, startDesk } from './support/desk.ts';
import { answerOf, startWorld, type World } from './support/world.ts';

const sale = {
  side: 'sell',
  type: 'stop_limit',
  stop_price: '160',
  limit_price: '158',
  time_in_force: 'gtc',
};

describe('DELETE of an order', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });

  const resting = (request: Record<string, unknown>): StandInOrder => {
    const order = {
      id: crypto.randomUUID(),
      owner: 'alice',
      request: { symbol: 'AAPL', qty: '5', client_order_id: 'ta-resting', ...request },
      status: 'new',
    };
    world.broker.book.push(order);
    return order;
  };
  const cancel = async ({ id }: StandInOrder) => {
    const { status, body } = await answerOf(world.cancel(id));
    return { ...body, status };
  };
  const short = { qty: '-40', qty_available: '-40', side: 'short' };

  it('needs an approval where it sells what is held: nothing is cancelled', async () => {
    const order = resting(sale);
    expect(await cancel(order)).toMatchObject({
      status: 409,
      code: 'approval_required',
      kind: 'cancel',
      hint: expect.stringContaining('kind cancel'),
    });
    expect(order.status).toBe('new');
    expect(world.broker.requests.filter((line) => line.startsWith('DELETE'))).toEqual([]);
  });

  it('needs an approval where it buys back what is owed', async () => {
    world.broker.positions = [{ ...world.broker.positions[0], ...short }];
    const order = resting({ ...sale, side: 'buy' });
    expect(await cancel(order)).toMatchObject({ status: 409, code: 'approval_required' });
    expect(order.status).toBe('new');
  });

  it.each<[string, Record<string, unknown>, 'long' | 'short' | 'none']>([
    ['that adds to shares held', { side: 'buy', type: 'limit', limit_price: '10' }, 'long'],
    ['that opens a position', { side: 'buy', type: 'limit', limit_price: '10' }, 'none'],
    ['that sells what is not held', { side: 'sell', type: 'limit', limit_price: '999' }, 'none'],
    ['that adds to shares owed', { side: 'sell', type: 'limit', limit_price: '999' }, 'short'],
  ])('%s needs none', async (_, request, held) => {
    const [long] = world.broker.positions;
    world.broker.positions = held === 'none' ? [] : [{ ...long, ...(held === 'short' ? short : {}) }];
    const order = resting({ time_in_force: 'gtc', ...request });
    expect((await cancel(order)).status).toBe(204);
    expect(order.status).toBe('canceled');
  });

  it.each(['/v2/positions', 'the order'])('cancels nothing while %s can’t be read', async (what) => {
    const order = resting({ side: 'buy', type: 'limit', limit_price: '10', time_in_force: 'gtc' });
    world.broker.failing = what === 'the order' ? `/v2/orders/${order.id}` : what;
    expect(await cancel(order)).toMatchObject({ status: 502, code: 'broker_unavailable' });
    expect(order.status).toBe('new');
  });
});

describe('an approved cancel', () => {
  let world: DeskWorld;
  let order: StandInOrder;
  let subject: CancelSubject;
  beforeEach(async () => {
    world = await startDesk();
    order = world.resting(sale);
    const held = await world.broker.order(order.id);
    if (held === undefined) throw new Error('the order is not there');
    subject = {
      account: 'PA3ALICE01',
      environment: 'paper',
      order: held,
      protects: true,
      client_cancel_id: 'ta-cancel-1',
      expires_at: '2030-01-01T00:00:00Z',
    };
  });
  const cancels = () => world.alpaca.requests.filter((line) => line.startsWith('DELETE')).length;

  it('cancels the order, also one that protects a position', async () => {
    expect(await cancelApprovedOrder(subject, world.broker)).toMatchObject({ id: order.id, status: 'canceled' });
    expect(order.status).toBe('canceled');
  });

  it('is done where the order is cancelled already: nothing is sent', async () => {
    await cancelApprovedOrder(subject, world.broker);
    expect(await cancelApprovedOrder(subject, world.broker)).toMatchObject({ status: 'canceled' });
    expect(cancels()).toBe(1);
  });

  it('whose answer was lost is found done', async () => {
    world.alpaca.lostCancels = 1;
    expect(await cancelApprovedOrder(subject, world.broker)).toMatchObject({ status: 'canceled' });
    expect(cancels()).toBe(1);
  });

  it.each(['filled', 'expired', 'rejected', 'replaced'])('is refused for an order that is %s', async (status) => {
    order.status = status;
    await expect(cancelApprovedOrder(subject, world.broker)).rejects.toMatchObject({
      code: 'not_cancelable',
      options: { members: { status } },
    });
    expect(cancels()).toBe(0);
  });

  it('is refused where the order fills before the request arrives', async () => {
    const cancel = world.broker.cancel;
    const filling = (id: string) => {
      order.status = 'filled';
      return cancel(id);
    };
    await expect(cancelApprovedOrder(subject, { ...world.broker, cancel: filling })).rejects.toMatchObject({
      code: 'not_cancelable',
    });
  });

  it('is refused where the broker took it, and the order filled all the same', async () => {
    const cancel = async () => {
      order.status = 'filled';
      return 'requested' as const;
    };
    await expect(cancelApprovedOrder(subject, { ...world.broker, cancel })).rejects.toMatchObject({
      code: 'not_cancelable',
    });
  });

  it('is refused where the broker won’t, though the order still stands', async () => {
    const broker = { ...world.broker, cancel: async () => 'not_cancelable' as const };
    await expect(cancelApprovedOrder(subject, broker)).rejects.toMatchObject({ code: 'not_cancelable' });
  });

  it('that the broker took is under way while it can’t be asked', async () => {
    let asked = 0;
    const broker = {
      ...world.broker,
      order: (id: string) => {
        if (asked++ > 0) world.alpaca.readsFail = 500;
        return world.broker.order(id);
      },
    };
    expect(await cancelApprovedOrder(subject, broker)).toMatchObject({ id: order.id, status: 'pending_cancel' });
  });

  it('of an order that isn’t there is refused', async () => {
    world.alpaca.book.length = 0;
    await expect(cancelApprovedOrder(subject, world.broker)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('of an order in another account is refused', async () => {
    await expect(cancelApprovedOrder({ ...subject, account: 'PA3BOB0001' }, world.broker)).rejects.toMatchObject({
      code: 'account_mismatch',
    });
    expect(order.status).toBe('accepted');
  });

  it('sends nothing while the broker is down', async () => {
    world.alpaca.readsFail = 500;
    await expect(cancelApprovedOrder(subject, world.broker)).rejects.toMatchObject({ code: 'broker_unavailable' });
    expect(cancels()).toBe(0);
  });
});
