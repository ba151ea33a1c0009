import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, describe, expect, it } from 'vitest';
import { startWorld, type World } from './paper-broker-world.ts';

let world: World;
afterEach(() => world.close());

const HOUR = 3_600_000;
const far = { symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '50.00' } as const;

describe('on exchange hours', () => {
  it('a market order given on Sunday waits and fills when the market opens on Monday', async () => {
    world = await startWorld({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') });
    const { trading } = await world.alpaca();
    const clock = await trading.clock.legacyClock();
    expect(clock).toMatchObject({ isOpen: false, nextOpen: new Date('2026-11-23T14:30:00Z') });
    const order = await trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '1' });
    expect(order.status).toBe('accepted');
    await world.clock.advance(21 * HOUR + 29 * 60_000);
    expect(world.broker.book()[0]?.status).toBe('accepted');
    await world.clock.advance(60_000);
    expect(world.broker.book()[0]?.status).toBe('filled');
  });

  it("a day order expires at the session's close, also over the shortened day after Thanksgiving", async () => {
    world = await startWorld({ hours: 'exchange', now: Date.parse('2026-11-27T15:00:00Z') });
    const { trading } = await world.alpaca();
    const order = await trading.orders.limit({ ...far, timeInForce: 'day' });
    expect(order.expiresAt).toEqual(new Date('2026-11-27T18:00:00Z'));
    const kept = await trading.orders.limit({ ...far, timeInForce: 'gtc' });
    await world.clock.advance(4 * HOUR);
    const [expired, other] = world.broker.book();
    expect(expired).toMatchObject({
      id: order.id,
      status: 'expired',
      expired_at: '2026-11-27T18:00:00.000Z',
    });
    expect(other).toMatchObject({ id: kept.id, status: 'new' });
  });

  it('only an extended-hours order trades before the opening', async () => {
    world = await startWorld({ hours: 'exchange', now: Date.parse('2026-11-24T12:00:00Z') });
    const { trading } = await world.alpaca();
    const near = { symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '900.00', timeInForce: 'day' } as const;
    expect((await trading.orders.limit(near)).status).toBe('accepted');
    expect((await trading.orders.limit({ ...near, extendedHours: true })).status).toBe('filled');
  });

  it('after hours, too, only an extended-hours order trades, for the day until 20:00, or until it is cancelled', async () => {
    world = await startWorld({ hours: 'exchange', now: Date.parse('2026-11-24T22:00:00Z') });
    const { trading } = await world.alpaca();
    const near = { symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '900.00' } as const;
    expect((await trading.orders.limit({ ...near, timeInForce: 'gtc' })).status).toBe('accepted');
    const filled = await trading.orders.limit({ ...near, timeInForce: 'gtc', extendedHours: true });
    expect(filled).toMatchObject({ status: 'filled', extendedHours: true });
    const rests = { ...far, timeInForce: 'day', extendedHours: true } as const;
    const first = await trading.orders.limit(rests);
    expect(first).toMatchObject({ status: 'new', expiresAt: new Date('2026-11-25T01:00:00Z') });
    const { id: orderId = '' } = first;
    const dearer = await trading.orders.patchOrderByOrderId({
      orderId,
      patchOrderRequest: { limitPrice: '900' },
    });
    expect(dearer).toMatchObject({ status: 'filled', extendedHours: true, replaces: orderId });
    await world.clock.advance(4 * HOUR);
    const later = await (await world.alpaca()).trading.orders.limit(rests);
    expect(later).toMatchObject({ status: 'accepted', expiresAt: new Date('2026-11-26T01:00:00Z') });
  });

  it('an order for the closing auction fills at the closing price, even when looked at later', async () => {
    world = await startWorld({ hours: 'exchange', now: Date.parse('2026-11-24T15:00:00Z') });
    const { trading } = await world.alpaca();
    const close = Date.parse('2026-11-24T21:00:00Z');
    await trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '1', timeInForce: 'cls' });
    await world.clock.advance(26 * HOUR); // well into the next session
    expect(world.broker.book()[0]).toMatchObject({
      status: 'filled',
      filled_avg_price: String(Number(world.market.quote('AAPL', close)?.ask)),
    });
  });

  it('an order for the opening auction fills at the opening price, or ends there when its limit is not met', async () => {
    world = await startWorld({ hours: 'exchange', now: Date.parse('2026-11-24T01:00:00Z') });
    const { trading } = await world.alpaca();
    const open = Date.parse('2026-11-24T14:30:00Z');
    const order = { symbol: 'AAPL', side: 'buy', qty: '1', timeInForce: 'opg' } as const;
    await trading.orders.market(order);
    await trading.orders.limit({ ...order, limitPrice: '50.00' });
    expect(world.broker.book().map(({ status }) => status)).toEqual(['accepted', 'accepted']);
    await world.clock.advance(15 * HOUR);
    const [filled, unmet] = world.broker.book();
    expect(filled?.filled_avg_price).toBe(String(Number(world.market.quote('AAPL', open)?.ask)));
    expect(unmet?.status).toBe('canceled');
  });

  it('an order for the opening auction is refused once the session is under way', async () => {
    world = await startWorld({ hours: 'exchange' });
    const { trading } = await world.alpaca();
    await expect(
      trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '1', timeInForce: 'opg' }),
    ).rejects.toMatchObject({ status: 422, code: 42210000 });
  });
});

describe('the timer', () => {
  it('fills a resting order within a second, without a request', async () => {
    world = await startWorld();
    const { trading } = await world.alpaca();
    world.market.setPrice('AAPL', '230.00');
    await trading.orders.limit({ ...far, timeInForce: 'gtc' });
    world.market.setPrice('AAPL', '49.00');
    expect(world.broker.book()[0]?.status).toBe('new');
    await world.clock.advance(1000);
    expect(world.broker.book()[0]?.status).toBe('filled');
  });

  it('ends with close', async () => {
    world = await startWorld();
    const { trading } = await world.alpaca();
    await trading.orders.limit({ ...far, timeInForce: 'gtc' });
    world.market.setPrice('AAPL', '49.00');
    world.broker.close();
    await world.clock.advance(5000);
    expect(world.broker.book()[0]?.status).toBe('new');
  });
});

describe('partial fills', () => {
  it('about one order in ten fills in two parts a moment apart, the same ones on every run', async () => {
    const split = async () => {
      world = await startWorld({ partialFills: true });
      const { trading } = await world.alpaca();
      const parts: string[] = [];
      for (let i = 0; i < 60; i++) {
        const order = await trading.orders.market({
          symbol: 'F',
          side: 'buy',
          qty: '10',
          clientOrderId: `ta-partial-${i}`,
        });
        if (order.status === 'partially_filled') {
          parts.push(`${order.clientOrderId} ${order.filledQty}`);
          expect(Number(order.filledQty)).toBeGreaterThan(0);
          expect(Number(order.filledQty)).toBeLessThan(10);
        }
      }
      await world.clock.advance(2000);
      expect(
        world.broker.book().every((order) => order.status === 'filled' && order.filled_qty === '10'),
      ).toBe(true);
      expect((await trading.positions.getOpenPosition({ symbolOrAssetId: 'F' })).qty).toBe('600');
      return parts;
    };
    const first = await split();
    await world.close();
    const second = await split();
    expect(first).toEqual(second);
    expect(first.length).toBeGreaterThan(1);
    expect(first.length).toBeLessThan(15);
  });

  it('the rest can be canceled, and what filled stays', async () => {
    world = await startWorld({ partialFills: true });
    const { trading } = await world.alpaca();
    for (let i = 0; ; i++) {
      const order = await trading.orders.market({
        symbol: 'F',
        side: 'buy',
        qty: '10',
        clientOrderId: `ta-partial-${i}`,
      });
      if (order.status !== 'partially_filled') continue;
      await trading.orders.deleteOrderByOrderID({ orderId: order.id ?? '' });
      await world.clock.advance(3000);
      const later = await trading.orders.getOrderByOrderID({ orderId: order.id ?? '' });
      expect(later).toMatchObject({ status: 'canceled', filledQty: order.filledQty });
      break;
    }
  });
});

describe('after a restart', () => {
  it('accounts, orders, positions and prices are as before', async () => {
    const database = new Database(':memory:');
    world = await startWorld({ database });
    const before = await world.alpaca();
    await before.trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '3' });
    await before.trading.orders.limit({ ...far, timeInForce: 'gtc' });
    const state = async (alpaca: typeof before) => ({
      account: await alpaca.trading.account.getAccount(),
      positions: await alpaca.trading.positions.getAllOpenPositions(),
      orders: await alpaca.trading.orders.getAllOrders({ status: 'all' }),
      bars: await alpaca.marketData.stocks.stockBars({ symbols: 'AAPL', timeframe: '1Hour' }),
    });
    const was = await state(before);
    await world.close();
    world = await startWorld({ database });
    expect(await state(await world.alpaca())).toEqual(was);
    expect(was.orders).toHaveLength(2);
  });
});
