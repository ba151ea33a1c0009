import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
let alpaca: Alpaca;
let orders: Alpaca['trading']['orders'];
const start = async (options: Parameters<typeof startWorld>[0] = {}) => {
  world = await startWorld(options);
  alpaca = await world.alpaca();
  orders = alpaca.trading.orders;
  world.market.setPrice('F', '10.00');
};
beforeEach(() => start());
afterEach(() => world.close());

type Request = Parameters<typeof orders.postOrder>[0]['postOrderRequest'];
const place = (changes: Partial<Request> = {}) =>
  orders.postOrder({
    postOrderRequest: {
      symbol: 'F',
      side: 'buy',
      type: 'market',
      qty: '10',
      timeInForce: 'gtc',
      ...changes,
    },
  });
const exits = { takeProfit: { limitPrice: '11' }, stopLoss: { stopPrice: '9' } };
const bracket = (changes: Partial<Request> = {}) => place({ orderClass: 'bracket', ...exits, ...changes });
const oco = (changes: Partial<Request> = {}) =>
  place({ side: 'sell', type: 'limit', orderClass: 'oco', ...exits, ...changes });
/** How each order stands, the one that was placed first. */
const standing = () => world.broker.book().map(({ status, filled_qty }) => `${status} ${filled_qty}`);
const price = (value: string) => {
  world.market.setPrice('F', value);
  world.broker.settle();
};
const held = async () =>
  (await alpaca.trading.positions.getAllOpenPositions()).find(({ symbol }) => symbol === 'F')?.qty ?? '0';
const legIds = (order: { legs?: { id?: string }[] | null }) => (order.legs ?? []).map(({ id = '' }) => id);

describe('a bracket', () => {
  it('is an entry with two legs, which are held until it has filled', async () => {
    const order = await bracket({ type: 'limit', limitPrice: '9.50', stopLoss: { stopPrice: '9' } });
    expect(order).toMatchObject({ orderClass: 'bracket', status: 'new', side: 'buy' });
    expect(order.legs).toMatchObject([
      { side: 'sell', type: 'limit', limitPrice: '11', qty: '10', status: 'held', orderClass: 'bracket' },
      { side: 'sell', type: 'stop', stopPrice: '9', qty: '10', status: 'held', orderClass: 'bracket' },
    ]);
    price('9.50');
    price('9.40');
    expect(standing()).toEqual(['filled 10', 'new 0', 'held 0']);
  });

  it('takes the profit, and the stop is gone', async () => {
    await bracket();
    expect(standing()).toEqual(['filled 10', 'new 0', 'held 0']);
    price('11.05');
    expect(standing()).toEqual(['filled 10', 'filled 10', 'canceled 0']);
    expect(await held()).toBe('0');
    price('8.00');
    expect(await held()).toBe('0');
  });

  it('stops the loss, and the profit is gone before it', async () => {
    await bracket();
    price('8.90');
    expect(standing()).toEqual(['filled 10', 'canceled 0', 'filled 10']);
    expect(await held()).toBe('0');
  });

  it('whose stop has a limit rests at it, once reached, without the other', async () => {
    await bracket({ stopLoss: { stopPrice: '9', limitPrice: '8.95' } });
    price('8.50');
    expect(standing()).toEqual(['filled 10', 'canceled 0', 'new 0']);
    price('11.50'); // nothing takes a profit any more, but this is better than the limit
    expect(standing()).toEqual(['filled 10', 'canceled 0', 'filled 10']);
  });

  it('ends whole, whichever of it is cancelled', async () => {
    const unfilled = { type: 'limit', limitPrice: '9.50' } as const;
    const entry = await bracket(unfilled);
    await orders.deleteOrderByOrderID({ orderId: entry.id ?? '' });
    expect(standing()).toEqual(['canceled 0', 'canceled 0', 'canceled 0']);
    const other = await bracket(unfilled);
    await orders.deleteOrderByOrderID({ orderId: legIds(other)[1] ?? '' });
    expect(standing().slice(3)).toEqual(['canceled 0', 'canceled 0', 'canceled 0']);
    const filled = await bracket();
    await orders.deleteOrderByOrderID({ orderId: legIds(filled)[0] ?? '' });
    expect(standing().slice(6)).toEqual(['filled 10', 'canceled 0', 'canceled 0']);
    expect(await held()).toBe('10');
    expect(await refusal(orders.deleteOrderByOrderID({ orderId: filled.id ?? '' }))).toMatchObject({
      status: 422,
    });
  });

  it('counts its shares once: what it holds to sell can not be sold besides', async () => {
    await bracket();
    expect((await alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'F' })).qtyAvailable).toBe('0');
    expect(await refusal(place({ side: 'sell', type: 'limit', limitPrice: '12', qty: '1' }))).toMatchObject({
      status: 403,
      message: expect.stringContaining('insufficient qty'),
    });
  });

  it('shows its legs below it where they are asked for so, and beside it otherwise', async () => {
    const { id = '' } = await bracket({ type: 'limit', limitPrice: '9.50' });
    await place({ type: 'limit', limitPrice: '5' });
    const list = async (nested: boolean, status: 'open' | 'all' = 'open') =>
      (await orders.getAllOrders({ status, nested, direction: 'asc' })).map(({ legs }) => legs?.length ?? 0);
    expect(await list(true)).toEqual([2, 0]);
    expect(await list(false)).toEqual([0, 0, 0, 0]);
    expect((await orders.getOrderByOrderID({ orderId: id })).legs ?? []).toEqual([]);
    expect((await orders.getOrderByOrderID({ orderId: id, nested: true })).legs).toHaveLength(2);
    price('9.50');
    price('9.40');
    // The entry is no longer open: its legs are, and are not hidden with it.
    expect(await list(true)).toEqual([0, 0, 0]);
    expect(await list(true, 'all')).toEqual([2, 0]);
  });

  it('for the day expires whole with the session', async () => {
    await world.close();
    await start({ hours: 'exchange' });
    await bracket({ timeInForce: 'day' });
    await bracket({ timeInForce: 'day', type: 'limit', limitPrice: '5', stopLoss: { stopPrice: '4' } });
    await world.clock.advance(6 * 3_600_000);
    world.broker.settle();
    expect(standing()).toEqual([
      'filled 10',
      'expired 0',
      'canceled 0',
      'expired 0',
      'canceled 0',
      'canceled 0',
    ]);
  });
});

describe('a bracket whose entry fills in parts', () => {
  /** The first that does; which do follows from the client_order_id. */
  const inParts = async () => {
    await world.close();
    await start({ partialFills: true });
    for (let i = 0; ; i++) {
      expect(i).toBeLessThan(60);
      const order = await bracket({ clientOrderId: `ta-${i}` });
      if (order.status === 'partially_filled') return order;
      await orders.deleteAllOrders();
    }
  };
  const ofGroup = ({ id = '' }: { id?: string }) => orders.getOrderByOrderID({ orderId: id, nested: true });

  it('holds its legs until the last part', async () => {
    const order = await inParts();
    expect((await ofGroup(order)).legs?.map(({ status }) => status)).toEqual(['held', 'held']);
    await world.clock.advance(2000);
    world.broker.settle();
    expect((await ofGroup(order)).legs?.map(({ status }) => status)).toEqual(['new', 'held']);
  });

  it('leaves what has filled without them, where the rest is cancelled', async () => {
    const order = await inParts();
    await orders.deleteOrderByOrderID({ orderId: order.id ?? '' });
    const after = await ofGroup(order);
    expect(after.status).toBe('canceled');
    expect(after.legs?.map(({ status }) => status)).toEqual(['canceled', 'canceled']);
    expect(Number(after.filledQty)).toBeGreaterThan(0);
  });

  it('keeps legs for all of it, where the rest is replaced', async () => {
    const order = await inParts();
    const rest = await orders.patchOrderByOrderId({
      orderId: order.id ?? '',
      patchOrderRequest: { qty: '12' },
    });
    expect(Number(rest.qty)).toBe(12 - Number(order.filledQty));
    expect(rest.legs?.map(({ qty }) => qty)).toEqual(['12', '12']);
  });
});

describe('an OCO order', () => {
  beforeEach(() => place());

  it('is a take profit with a stop below it', async () => {
    const order = await oco();
    expect(order).toMatchObject({ orderClass: 'oco', type: 'limit', limitPrice: '11', status: 'new' });
    expect(order.legs).toMatchObject([{ type: 'stop', stopPrice: '9', status: 'held', side: 'sell' }]);
  });

  it('sells once, whichever is reached', async () => {
    await oco();
    price('8.50');
    expect(standing().slice(1)).toEqual(['canceled 0', 'filled 10']);
    price('10.00');
    await place();
    await oco();
    price('11.50');
    expect(standing().slice(4)).toEqual(['filled 10', 'canceled 0']);
    expect(await held()).toBe('0');
  });

  it('stops no more than is left once a part has taken its profit', async () => {
    await world.close();
    await start({ partialFills: true });
    for (let i = 0; ; i++) {
      expect(i).toBeLessThan(60);
      price('10.00');
      await place({ clientOrderId: `ta-in-${i}` });
      await world.clock.advance(2000);
      world.broker.settle();
      const { id = '' } = await oco({ clientOrderId: `ta-out-${i}` });
      price('11.50');
      const { status, filledQty, legs } = await orders.getOrderByOrderID({ orderId: id, nested: true });
      if (status !== 'partially_filled') continue;
      const left = String(10 - Number(filledQty));
      expect(legs).toMatchObject([{ status: 'held', qty: left }]);
      price('8.50');
      const after = await orders.getOrderByOrderID({ orderId: id, nested: true });
      expect(after).toMatchObject({ status: 'canceled', filledQty });
      await world.clock.advance(2000);
      world.broker.settle();
      expect(after.legs).toMatchObject([{ qty: left }]);
      expect(await held()).toBe('0');
      return;
    }
  });
});

describe('an OTO order', () => {
  it('is an entry with one way out, which is in the market once it has filled', async () => {
    const order = await place({ orderClass: 'oto', stopLoss: { stopPrice: '9' } });
    expect(order.legs).toHaveLength(1);
    expect(standing()).toEqual(['filled 10', 'new 0']);
    price('8.90');
    expect(standing()).toEqual(['filled 10', 'filled 10']);
    price('10.00');
    await place({ orderClass: 'oto', takeProfit: { limitPrice: '11' } });
    price('11.50');
    expect(standing().slice(2)).toEqual(['filled 10', 'filled 10']);
    expect(await held()).toBe('0');
  });
});

describe('of a group is replaced', () => {
  const patch = (orderId: string, patchOrderRequest: Record<string, string>) =>
    orders.patchOrderByOrderId({ orderId, patchOrderRequest });

  it('either leg, which stays in its group', async () => {
    const order = await bracket();
    const [profit = '', stop = ''] = legIds(order);
    expect(await patch(stop, { stopPrice: '9.50' })).toMatchObject({
      replaces: stop,
      status: 'held',
      stopPrice: '9.5',
    });
    const higher = await patch(profit, { limitPrice: '12' });
    expect(higher).toMatchObject({ replaces: profit, status: 'new', limitPrice: '12' });
    const now = await orders.getOrderByOrderID({ orderId: order.id ?? '', nested: true });
    expect(now.legs?.map(({ stopPrice, limitPrice }) => stopPrice ?? limitPrice).sort()).toEqual([
      '12',
      '9.5',
    ]);
    price('9.45');
    expect(await held()).toBe('0');
    expect((await orders.getOrderByOrderID({ orderId: higher.id ?? '' })).status).toBe('canceled');
  });

  it('the entry, and its legs hang on what took its place', async () => {
    const order = await bracket({ type: 'limit', limitPrice: '9.50' });
    const instead = await patch(order.id ?? '', { limitPrice: '10.50', qty: '6' });
    expect(instead).toMatchObject({ status: 'filled', qty: '6', orderClass: 'bracket' });
    expect(instead.legs).toMatchObject([
      { status: 'new', qty: '6' },
      { status: 'held', qty: '6' },
    ]);
    price('8.00');
    expect(await held()).toBe('0');
  });

  it('the take profit of an OCO order, and its stop hangs on what took its place', async () => {
    await place();
    const order = await oco();
    const instead = await patch(order.id ?? '', { limitPrice: '12' });
    expect(instead.legs).toMatchObject([{ status: 'held', stopPrice: '9' }]);
    price('8.00');
    expect((await orders.getOrderByOrderID({ orderId: instead.id ?? '' })).status).toBe('canceled');
    expect(await held()).toBe('0');
  });

  it('but never so that one price would reach both ways out, or past the entry', async () => {
    const order = await bracket();
    const [profit = '', stop = ''] = legIds(order);
    for (const [id, changes] of [
      [stop, { stopPrice: '11' }],
      [stop, { stopPrice: '12' }],
      [profit, { limitPrice: '8.50' }],
      [profit, { qty: '5' }],
      [stop, { stopPrice: '9' }], // as it is
    ] as const) {
      expect(await refusal(patch(id, changes))).toMatchObject({ status: 422, code: 42210000 });
    }
    expect(standing()).toEqual(['filled 10', 'new 0', 'held 0']);
    const unfilled = await bracket({ type: 'limit', limitPrice: '9.50' });
    expect(await refusal(patch(unfilled.id ?? '', { limitPrice: '8.90' }))).toMatchObject({
      status: 422,
      message: expect.stringContaining('base_price'),
    });
  });
});

describe('the broker refuses', () => {
  it.each<[string, object, number, RegExp]>([
    [
      'a profit below the entry',
      { takeProfit: { limitPrice: '10' } },
      42210000,
      /take_profit.limit_price must be >= base_price \+ 0.01/,
    ],
    [
      'a stop above the entry',
      { stopLoss: { stopPrice: '10' } },
      42210000,
      /stop_loss.stop_price must be <= base_price - 0.01/,
    ],
    [
      'a limit above its stop',
      { stopLoss: { stopPrice: '9', limitPrice: '9.50' } },
      42210000,
      /stop_loss.limit_price must be <=/,
    ],
    [
      'a profit below the stop',
      { takeProfit: { limitPrice: '8' } },
      42210000,
      /take_profit.limit_price must be > stop_loss.stop_price/,
    ],
    [
      'a bracket without a profit',
      { takeProfit: undefined },
      40010001,
      /bracket orders require take_profit.limit_price/,
    ],
    [
      'a bracket without a stop',
      { stopLoss: undefined },
      40010001,
      /bracket orders require stop_loss.stop_price/,
    ],
    [
      'a bracket by a stop',
      { type: 'stop', stopPrice: '12' },
      40010001,
      /bracket orders must be market or limit orders/,
    ],
    [
      'a bracket that sells what is held',
      { symbol: 'KO', side: 'sell', takeProfit: { limitPrice: '1' }, stopLoss: { stopPrice: '900' } },
      42210000,
      /bracket orders must be entry orders/,
    ],
    [
      'an OCO order with nothing to sell',
      { orderClass: 'oco', side: 'sell', type: 'limit' },
      42210000,
      /oco orders must be exit orders/,
    ],
    [
      'an OCO order at the market',
      { orderClass: 'oco', side: 'sell', symbol: 'KO' },
      40010001,
      /oco orders must be limit orders/,
    ],
    ['an OTO order with two ways out', { orderClass: 'oto' }, 40010001, /oto orders require either/],
    ['an immediate bracket', { timeInForce: 'ioc' }, 42210000, /DAY or GTC/],
    [
      'a bracket in fractions',
      { qty: '1.5', timeInForce: 'day' },
      42210000,
      /fractional orders must be simple orders/,
    ],
    [
      'a bracket by amount',
      { qty: undefined, notional: '50', timeInForce: 'day' },
      42210000,
      /fractional orders must be simple orders/,
    ],
    [
      'a bracket outside of hours',
      { type: 'limit', limitPrice: '10', extendedHours: true },
      42210000,
      /simple/,
    ],
    ['a leg off the tick', { takeProfit: { limitPrice: '11.005' } }, 42210000, /sub-penny/],
    ['ways out of a simple order', { orderClass: undefined }, 42210000, /must not have take_profit/],
  ])('%s', async (_name, changes, code, message) => {
    expect(await refusal(bracket(changes))).toMatchObject({
      status: 422,
      code,
      message: expect.stringMatching(message),
    });
    expect(world.broker.book()).toEqual([]);
  });
});
