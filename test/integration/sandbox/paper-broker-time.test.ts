import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, describe, expect, it } from 'vitest';
import {
  account,
  alpaca,
  cancel,
  inParts,
  logIn,
  open,
  orders,
  patch,
  position,
  read,
  refused,
  statuses,
  trading,
  world,
} from './paper-broker-desk.ts';

afterEach(() => world.close());

const HOUR = 3_600_000;
const openAt = (moment: string) => open({ hours: 'exchange', now: Date.parse(moment) });
const far = { symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '50.00' } as const;
const near = { ...far, limitPrice: '900.00' };

describe('on exchange hours', () => {
  it('a market order given on Sunday waits and fills when the market opens on Monday', async () => {
    await openAt('2026-11-22T17:00:00Z');
    const clock = await trading.clock.legacyClock();
    expect(clock).toMatchObject({ isOpen: false, nextOpen: new Date('2026-11-23T14:30:00Z') });
    const order = await orders.market({ symbol: 'AAPL', side: 'buy', qty: '1' });
    expect(order.status).toBe('accepted');
    await world.clock.advance(21 * HOUR + 29 * 60_000);
    expect(statuses()[0]).toBe('accepted');
    await world.clock.advance(60_000);
    expect(statuses()[0]).toBe('filled');
  });

  it("a day order expires at the session's close, also over the shortened day after Thanksgiving", async () => {
    await openAt('2026-11-27T15:00:00Z');
    const order = await orders.limit({ ...far, timeInForce: 'day' });
    expect(order.expiresAt).toEqual(new Date('2026-11-27T18:00:00Z'));
    const kept = await orders.limit({ ...far, timeInForce: 'gtc' });
    await world.clock.advance(4 * HOUR);
    const [expired, other] = world.broker.book();
    const expired_at = '2026-11-27T18:00:00.000Z';
    expect(expired).toMatchObject({ id: order.id, status: 'expired', expired_at });
    expect(other).toMatchObject({ id: kept.id, status: 'new' });
  });

  it('only an extended-hours order trades before the opening', async () => {
    await openAt('2026-11-24T12:00:00Z');
    const day = { ...near, timeInForce: 'day' } as const;
    expect((await orders.limit(day)).status).toBe('accepted');
    expect((await orders.limit({ ...day, extendedHours: true })).status).toBe('filled');
  });

  it('after hours, too, only an extended-hours order trades, for the day until 20:00, or until it is cancelled', async () => {
    await openAt('2026-11-24T22:00:00Z');
    expect((await orders.limit({ ...near, timeInForce: 'gtc' })).status).toBe('accepted');
    const filled = await orders.limit({ ...near, timeInForce: 'gtc', extendedHours: true });
    expect(filled).toMatchObject({ status: 'filled', extendedHours: true });
    const rests = { ...far, timeInForce: 'day', extendedHours: true } as const;
    const first = await orders.limit(rests);
    expect(first).toMatchObject({ status: 'new', expiresAt: new Date('2026-11-25T01:00:00Z') });
    const dearer = await patch(first, { limitPrice: '900' });
    expect(dearer).toMatchObject({ status: 'filled', extendedHours: true, replaces: first.id });
    await world.clock.advance(4 * HOUR);
    await logIn();
    const later = await orders.limit(rests);
    expect(later).toMatchObject({ status: 'accepted', expiresAt: new Date('2026-11-26T01:00:00Z') });
  });

  it('an order for the closing auction fills at the closing price, even when looked at later', async () => {
    await openAt('2026-11-24T15:00:00Z');
    const close = Date.parse('2026-11-24T21:00:00Z');
    await orders.market({ symbol: 'AAPL', side: 'buy', qty: '1', timeInForce: 'cls' });
    await world.clock.advance(26 * HOUR); // well into the next session
    const filled_avg_price = String(Number(world.market.quote('AAPL', close)?.ask));
    expect(world.broker.book()[0]).toMatchObject({ status: 'filled', filled_avg_price });
  });

  it('an order for the opening auction fills at the opening price, or ends there when its limit is not met', async () => {
    await openAt('2026-11-24T01:00:00Z');
    const open = Date.parse('2026-11-24T14:30:00Z');
    const order = { symbol: 'AAPL', side: 'buy', qty: '1', timeInForce: 'opg' } as const;
    await orders.market(order);
    await orders.limit({ ...order, limitPrice: '50.00' });
    expect(statuses()).toEqual(['accepted', 'accepted']);
    await world.clock.advance(15 * HOUR);
    const [filled, unmet] = world.broker.book();
    expect(filled?.filled_avg_price).toBe(String(Number(world.market.quote('AAPL', open)?.ask)));
    expect(unmet?.status).toBe('canceled');
  });

  it('an order for the opening auction is refused once the session is under way', async () => {
    await open({ hours: 'exchange' });
    const order = { symbol: 'AAPL', side: 'buy', qty: '1', timeInForce: 'opg' } as const;
    await refused(orders.market(order), 422, 42210000);
  });
});

describe('the timer', () => {
  it('fills a resting order within a second, without a request', async () => {
    await open();
    world.market.setPrice('AAPL', '230.00');
    await orders.limit({ ...far, timeInForce: 'gtc' });
    world.market.setPrice('AAPL', '49.00');
    expect(statuses()[0]).toBe('new');
    await world.clock.advance(1000);
    expect(statuses()[0]).toBe('filled');
  });

  it('ends with close', async () => {
    await open();
    await orders.limit({ ...far, timeInForce: 'gtc' });
    world.market.setPrice('AAPL', '49.00');
    world.broker.close();
    await world.clock.advance(5000);
    expect(statuses()[0]).toBe('new');
  });
});

describe('partial fills', () => {
  const buy = (clientOrderId: string) => orders.market({ symbol: 'F', side: 'buy', qty: '10', clientOrderId });

  it('about one order in ten fills in two parts a moment apart, the same ones on every run', async () => {
    const split = async () => {
      await open({ partialFills: true });
      const parts: string[] = [];
      for (let i = 0; i < 60; i++) {
        const { status, clientOrderId, filledQty } = await buy(`ta-partial-${i}`);
        if (status !== 'partially_filled') continue;
        parts.push(`${clientOrderId} ${filledQty}`);
        expect(Number(filledQty)).toBeGreaterThan(0);
        expect(Number(filledQty)).toBeLessThan(10);
      }
      await world.clock.advance(2000);
      expect(new Set(statuses())).toEqual(new Set(['filled']));
      expect((await position('F')).qty).toBe('600');
      return parts;
    };
    const first = await split();
    expect(await split()).toEqual(first);
    expect(first.length).toBeGreaterThan(1);
    expect(first.length).toBeLessThan(15);
  });

  it('the rest can be canceled, and what filled stays', async () => {
    await open({ partialFills: true });
    const order = await inParts(buy);
    await cancel(order);
    await world.clock.advance(3000);
    expect(await read(order)).toMatchObject({ status: 'canceled', filledQty: order.filledQty });
  });
});

describe('after a restart', () => {
  it('accounts, orders, positions and prices are as before', async () => {
    const database = new Database(':memory:');
    await open({ database });
    await orders.market({ symbol: 'AAPL', side: 'buy', qty: '3' });
    await orders.limit({ ...far, timeInForce: 'gtc' });
    const state = async () => ({
      account: await account(),
      positions: await trading.positions.getAllOpenPositions(),
      orders: await orders.getAllOrders({ status: 'all' }),
      bars: await alpaca.marketData.stocks.stockBars({ symbols: 'AAPL', timeframe: '1Hour' }),
    });
    const was = await state();
    await open({ database });
    expect(await state()).toEqual(was);
    expect(was.orders).toHaveLength(2);
  });
});
