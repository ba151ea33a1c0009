import { beforeEach, describe, expect, it } from 'vitest';
import {
  held as allHeld,
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

const start = async (options?: Parameters<typeof open>[0]) => {
  await open(options);
  world.market.setPrice('F', '10.00');
};
eachWithBroker();
beforeEach(() => world.market.setPrice('F', '10.00'));

const place = placing({ symbol: 'F', side: 'buy', type: 'market', qty: '10', timeInForce: 'gtc' });
const exits = { takeProfit: { limitPrice: '11' }, stopLoss: { stopPrice: '9' } };
const bracket = (changes: object = {}) => place({ orderClass: 'bracket', ...exits, ...changes });
const oco = (changes: object = {}) => place({ side: 'sell', type: 'limit', orderClass: 'oco', ...exits, ...changes });
const standing = () => world.broker.book().map(({ status, filled_qty }) => `${status} ${filled_qty}`);
const price = (value: string) => {
  world.market.setPrice('F', value);
  world.broker.settle();
};
const held = async () => (await allHeld()).F ?? '0';
const nested = (order: { id?: string }) => read(order, { nested: true });
const legs = (order: { legs?: { id?: string }[] | null }) => order.legs ?? [];

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
    await cancel(entry);
    expect(standing()).toEqual(['canceled 0', 'canceled 0', 'canceled 0']);
    const other = await bracket(unfilled);
    await cancel(legs(other)[1] ?? {});
    expect(standing().slice(3)).toEqual(['canceled 0', 'canceled 0', 'canceled 0']);
    const filled = await bracket();
    await cancel(legs(filled)[0] ?? {});
    expect(standing().slice(6)).toEqual(['filled 10', 'canceled 0', 'canceled 0']);
    expect(await held()).toBe('10');
    await refused(cancel(filled), 422);
  });

  it('counts its shares once: what it holds to sell can not be sold besides', async () => {
    await bracket();
    expect((await position('F')).qtyAvailable).toBe('0');
    const besides = place({ side: 'sell', type: 'limit', limitPrice: '12', qty: '1' });
    await refused(besides, 403, 'insufficient qty');
  });

  it('shows its legs below it where they are asked for so, and beside it otherwise', async () => {
    const order = await bracket({ type: 'limit', limitPrice: '9.50' });
    await place({ type: 'limit', limitPrice: '5' });
    const list = async (isNested: boolean, status: 'open' | 'all' = 'open') =>
      (await orders.getAllOrders({ status, nested: isNested, direction: 'asc' })).map(({ legs }) => legs?.length ?? 0);
    expect(await list(true)).toEqual([2, 0]);
    expect(await list(false)).toEqual([0, 0, 0, 0]);
    expect((await read(order)).legs ?? []).toEqual([]);
    expect((await nested(order)).legs).toHaveLength(2);
    price('9.50');
    price('9.40');
    // The entry is no longer open: its legs are, and are not hidden with it.
    expect(await list(true)).toEqual([0, 0, 0]);
    expect(await list(true, 'all')).toEqual([2, 0]);
  });

  it('for the day expires whole with the session', async () => {
    await start({ hours: 'exchange' });
    await bracket({ timeInForce: 'day' });
    await bracket({ timeInForce: 'day', type: 'limit', limitPrice: '5', stopLoss: { stopPrice: '4' } });
    await world.clock.advance(6 * 3_600_000);
    world.broker.settle();
    expect(standing().join()).toBe('filled 10,expired 0,canceled 0,expired 0,canceled 0,canceled 0');
  });
});

describe('a bracket whose entry fills in parts', () => {
  const bracketInParts = async () => {
    await start({ partialFills: true });
    return inParts(
      (clientOrderId) => bracket({ clientOrderId }),
      () => orders.deleteAllOrders(),
    );
  };
  const legStates = async (order: { id?: string }) => (await nested(order)).legs?.map(({ status }) => status);

  it('holds its legs until the last part', async () => {
    const order = await bracketInParts();
    expect(await legStates(order)).toEqual(['held', 'held']);
    await world.clock.advance(2000);
    world.broker.settle();
    expect(await legStates(order)).toEqual(['new', 'held']);
  });

  it('leaves what has filled without them, where the rest is cancelled', async () => {
    const order = await bracketInParts();
    await cancel(order);
    const after = await nested(order);
    expect(after.status).toBe('canceled');
    expect(after.legs?.map(({ status }) => status)).toEqual(['canceled', 'canceled']);
    expect(Number(after.filledQty)).toBeGreaterThan(0);
  });

  it('keeps legs for all of it, where the rest is replaced', async () => {
    const order = await bracketInParts();
    const rest = await patch(order, { qty: '12' });
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
    await start({ partialFills: true });
    for (let i = 0; ; i++) {
      expect(i).toBeLessThan(60);
      price('10.00');
      await place({ clientOrderId: `ta-in-${i}` });
      await world.clock.advance(2000);
      world.broker.settle();
      const order = await oco({ clientOrderId: `ta-out-${i}` });
      price('11.50');
      const { status, filledQty, legs } = await nested(order);
      if (status !== 'partially_filled') continue;
      const left = String(10 - Number(filledQty));
      expect(legs).toMatchObject([{ status: 'held', qty: left }]);
      price('8.50');
      const after = await nested(order);
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
  it('either leg, which stays in its group', async () => {
    const order = await bracket();
    const [profit = {}, stop = {}] = legs(order);
    const tighter = await patch(stop, { stopPrice: '9.50' });
    expect(tighter).toMatchObject({ replaces: stop.id, status: 'held', stopPrice: '9.5' });
    const higher = await patch(profit, { limitPrice: '12' });
    expect(higher).toMatchObject({ replaces: profit.id, status: 'new', limitPrice: '12' });
    const prices = (await nested(order)).legs?.map(({ stopPrice, limitPrice }) => stopPrice ?? limitPrice);
    expect(prices?.sort()).toEqual(['12', '9.5']);
    price('9.45');
    expect(await held()).toBe('0');
    expect((await read(higher)).status).toBe('canceled');
  });

  it('the entry, and its legs hang on what took its place', async () => {
    const order = await bracket({ type: 'limit', limitPrice: '9.50' });
    const instead = await patch(order, { limitPrice: '10.50', qty: '6' });
    expect(instead).toMatchObject({ status: 'filled', qty: '6', orderClass: 'bracket' });
    expect(instead.legs?.map(({ status, qty }) => `${status} ${qty}`)).toEqual(['new 6', 'held 6']);
    price('8.00');
    expect(await held()).toBe('0');
  });

  it('the take profit of an OCO order, and its stop hangs on what took its place', async () => {
    await place();
    const order = await oco();
    const instead = await patch(order, { limitPrice: '12' });
    expect(instead.legs).toMatchObject([{ status: 'held', stopPrice: '9' }]);
    price('8.00');
    expect((await read(instead)).status).toBe('canceled');
    expect(await held()).toBe('0');
  });

  it('but never so that one price would reach both ways out, or past the entry', async () => {
    const order = await bracket();
    const [profit = {}, stop = {}] = legs(order);
    for (const [id, changes] of [
      [stop, { stopPrice: '11' }],
      [stop, { stopPrice: '12' }],
      [profit, { limitPrice: '8.50' }],
      [profit, { qty: '5' }],
      [stop, { stopPrice: '9' }], // as it is
    ] as const) {
      await refused(patch(id, changes), 422, 42210000);
    }
    expect(standing()).toEqual(['filled 10', 'new 0', 'held 0']);
    const unfilled = await bracket({ type: 'limit', limitPrice: '9.50' });
    await refused(patch(unfilled, { limitPrice: '8.90' }), 422, 'base_price');
  });
});

describe('the broker refuses', () => {
  const [NEVER, WRONG] = [42210000, 40010001];
  const ofKo = {
    symbol: 'KO',
    side: 'sell',
    takeProfit: { limitPrice: '1' },
    stopLoss: { stopPrice: '900' },
  };
  const unheld = { orderClass: 'oco', side: 'sell', type: 'limit' };
  const atMarket = { orderClass: 'oco', side: 'sell', symbol: 'KO' };
  const amount = { qty: undefined, notional: '50', timeInForce: 'day' };
  const above = { stopLoss: { stopPrice: '9', limitPrice: '9.50' } };
  const late = { type: 'limit', limitPrice: '10', extendedHours: true };
  it.each<[string, object, number, RegExp]>([
    ['a profit below the entry', { takeProfit: { limitPrice: '10' } }, NEVER, /limit_price must be >= base/],
    ['a stop above the entry', { stopLoss: { stopPrice: '10' } }, NEVER, /stop_price must be <= base_price/],
    ['a limit above its stop', above, NEVER, /limit_price must be <=/],
    ['a profit below the stop', { takeProfit: { limitPrice: '8' } }, NEVER, /must be > stop_loss/],
    ['a bracket without a profit', { takeProfit: undefined }, WRONG, /require take_profit.limit_price/],
    ['a bracket without a stop', { stopLoss: undefined }, WRONG, /require stop_loss.stop_price/],
    ['a bracket by a stop', { type: 'stop', stopPrice: '12' }, WRONG, /must be market or limit/],
    ['a bracket that sells what is held', ofKo, NEVER, /bracket orders must be entry orders/],
    ['an OCO order with nothing to sell', unheld, NEVER, /oco orders must be exit orders/],
    ['an OCO order at the market', atMarket, WRONG, /oco orders must be limit orders/],
    ['an OTO order with two ways out', { orderClass: 'oto' }, WRONG, /oto orders require either/],
    ['an immediate bracket', { timeInForce: 'ioc' }, NEVER, /DAY or GTC/],
    ['a bracket in fractions', { qty: '1.5', timeInForce: 'day' }, NEVER, /fractional orders must be simple/],
    ['a bracket by amount', amount, NEVER, /fractional orders must be simple orders/],
    ['a bracket outside of hours', late, NEVER, /simple/],
    ['a leg off the tick', { takeProfit: { limitPrice: '11.005' } }, NEVER, /sub-penny/],
    ['ways out of a simple order', { orderClass: undefined }, NEVER, /must not have take_profit/],
  ])('%s', async (_name, changes, code, message) => {
    await refused(bracket(changes), 422, code, message);
    expect(standing()).toEqual([]);
  });
});
