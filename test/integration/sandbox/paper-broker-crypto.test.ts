import { describe, expect, it } from 'vitest';
import {
  alpaca,
  cash,
  closeOut,
  eachWithBroker,
  orders,
  placing,
  position,
  refused,
  statuses,
  trading,
  world,
} from './paper-broker-desk.ts';

// A Sunday: coins don't know.
eachWithBroker({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') });
const place = placing({ symbol: 'BTC/USD', side: 'buy', type: 'market', timeInForce: 'gtc' });
const coins = () => position('BTCUSD');

describe('a coin', () => {
  it('is bought on a Sunday in fractions, and the fee is taken in coins', async () => {
    const before = await cash();
    const order = await place({ qty: '0.1' });
    expect(order).toMatchObject({
      status: 'filled',
      assetClass: 'crypto',
      symbol: 'BTC/USD',
      filledQty: '0.1',
      positionIntent: 'buy_to_open',
    });
    const held = await coins();
    // 0.25 % of 0.1
    expect(held).toMatchObject({ symbol: 'BTCUSD', assetClass: 'crypto', qty: '0.09975', exchange: '' });
    const paid = 0.1 * Number(order.filledAvgPrice);
    expect(await cash()).toBeCloseTo(before - paid, 2);
    expect(Number(held.costBasis)).toBeCloseTo(paid, 1);
    const [fee] = await trading.accountActivities.getAccountActivities({ activityTypes: ['CFEE'] as never });
    expect(fee).toMatchObject({ activityType: 'CFEE', qty: '-0.00025', symbol: 'BTC/USD' });
  });

  it('is sold with the fee in dollars, by amount too, and no more than is held', async () => {
    await place({ notional: '1000' });
    const { qty } = await coins();
    await refused(place({ side: 'sell', qty: '0.5' }), 403, 40310000, 'insufficient balance for BTC');
    const before = await cash();
    const sold = await closeOut('BTC/USD');
    expect(sold).toMatchObject({ side: 'sell', timeInForce: 'gtc', qty, status: 'filled' });
    const brought = Number(sold.filledQty) * Number(sold.filledAvgPrice);
    expect(await cash()).toBeCloseTo(before + brought * 0.9975, 1);
    await refused(coins(), 404);
  });

  it('waits at a limit, at a stop with a limit, and not at all', async () => {
    const { quotes } = await alpaca.marketData.crypto.cryptoLatestQuotes({ loc: 'us', symbols: 'BTC/USD' });
    const ask = quotes['BTC/USD']?.ap ?? 0;
    const below = (ask * 0.9).toFixed(2);
    const above = (ask * 1.1).toFixed(2);
    expect(await place({ qty: '0.01', type: 'limit', limitPrice: below })).toMatchObject({ status: 'new' });
    const atOnce = await place({ qty: '0.01', type: 'limit', limitPrice: below, timeInForce: 'ioc' });
    expect(atOnce.status).toBe('canceled');
    const stop = { qty: '0.01', type: 'stop_limit', stopPrice: above, limitPrice: above };
    expect(await place(stop)).toMatchObject({ status: 'new', timeInForce: 'gtc' });
    const open = await orders.getAllOrders({ symbols: 'BTCUSD', assetClass: ['crypto'] });
    expect(open).toHaveLength(2);
  });

  it('is among the assets, with what may be ordered of it', async () => {
    const all = await trading.assets.getV2Assets({ assetClass: 'crypto' });
    expect(all.map(({ symbol }) => symbol)).toContain('ETH/USD');
    const ether = await trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'ETHUSD' });
    expect(ether).toMatchObject({ symbol: 'ETH/USD', fractionable: true, minOrderSize: '0.0003' });
    expect(ether.shortable).toBe(false);
    const shares = await trading.assets.getV2Assets({});
    expect(shares.map(({ symbol }) => symbol)).not.toContain('ETH/USD');
  });

  it('has bars at the weekend, whose last price is that of the latest trade', async () => {
    const { crypto } = alpaca.marketData;
    const request = { loc: 'us' as const, symbols: 'BTC/USD' };
    const start = new Date(world.clock.now() - 6 * 3_600_000);
    const { bars } = await crypto.cryptoBars({ ...request, timeframe: '1Hour', start });
    expect(bars['BTC/USD']?.length).toBeGreaterThan(5);
    const { snapshots } = await crypto.cryptoSnapshots(request);
    expect(snapshots['BTC/USD']?.latestTrade?.p).toBe(bars['BTC/USD']?.at(-1)?.c);
  });

  const bracket = {
    orderClass: 'bracket',
    takeProfit: { limitPrice: '99000' },
    stopLoss: { stopPrice: '9' },
  };
  it.each([
    ['for the day', { timeInForce: 'day' }, 42210000, /invalid crypto time_in_force/],
    ['at a stop', { type: 'stop', stopPrice: '90000' }, 40010001, /invalid order type for crypto/],
    ['in a bracket', bracket, 42210000, /advanced order_class: otoco/],
    ['in extended hours', { type: 'limit', limitPrice: '1', extendedHours: true }, 42210000, /extended/],
    ['of a pair that nobody trades', { symbol: 'XYZ/USD' }, 42210000, /"XYZ\/USD" not found/],
  ])('is not ordered %s', async (_how, request, code, message) => {
    await refused(place({ qty: '1', ...request }), 422, code, message);
    await refused(place({ notional: '9' }), 403, 'minimal amount of order 10');
    expect(statuses()).toEqual([]);
  });
});
