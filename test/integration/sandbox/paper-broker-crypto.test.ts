import type { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
let alpaca: Alpaca;
const start = async (options: Parameters<typeof startWorld>[0] = {}) => {
  world = await startWorld(options);
  alpaca = await world.alpaca();
};
// A Sunday: coins don't know.
beforeEach(() => start({ hours: 'exchange', now: Date.parse('2026-11-22T17:00:00Z') }));
afterEach(() => world.close());

const place = (request: object) =>
  alpaca.trading.orders.postOrder({
    postOrderRequest: {
      symbol: 'BTC/USD',
      side: 'buy',
      type: 'market',
      timeInForce: 'gtc',
      ...request,
    } as Parameters<typeof alpaca.trading.orders.postOrder>[0]['postOrderRequest'],
  });
const position = () => alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'BTCUSD' });
const cash = async () => Number((await alpaca.trading.account.getAccount()).cash);

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
    const held = await position();
    // 0.25 % of 0.1
    expect(held).toMatchObject({ symbol: 'BTCUSD', assetClass: 'crypto', qty: '0.09975', exchange: '' });
    const paid = 0.1 * Number(order.filledAvgPrice);
    expect(await cash()).toBeCloseTo(before - paid, 2);
    expect(Number(held.costBasis)).toBeCloseTo(paid, 1);
    const [fee] = await alpaca.trading.accountActivities.getAccountActivities({
      activityTypes: ['CFEE'] as never,
    });
    expect(fee).toMatchObject({ activityType: 'CFEE', qty: '-0.00025', symbol: 'BTC/USD' });
  });

  it('is sold with the fee in dollars, by amount too, and no more than is held', async () => {
    await place({ notional: '1000' });
    const { qty } = await position();
    expect(await refusal(place({ side: 'sell', qty: '0.5' }))).toMatchObject({
      status: 403,
      code: 40310000,
      message: expect.stringContaining('insufficient balance for BTC'),
    });
    const before = await cash();
    const sold = await alpaca.trading.positions.deleteOpenPosition({ symbolOrAssetId: 'BTC/USD' });
    expect(sold).toMatchObject({ side: 'sell', timeInForce: 'gtc', qty, status: 'filled' });
    const brought = Number(sold.filledQty) * Number(sold.filledAvgPrice);
    expect(await cash()).toBeCloseTo(before + brought * 0.9975, 1);
    expect(await refusal(position())).toMatchObject({ status: 404 });
  });

  it('waits at a limit, at a stop with a limit, and not at all', async () => {
    world.market.setPrice('AAPL', '230.00');
    const { quotes } = await alpaca.marketData.crypto.cryptoLatestQuotes({ loc: 'us', symbols: 'BTC/USD' });
    const ask = quotes['BTC/USD']?.ap ?? 0;
    const below = (ask * 0.9).toFixed(2);
    const above = (ask * 1.1).toFixed(2);
    expect(await place({ qty: '0.01', type: 'limit', limitPrice: below })).toMatchObject({ status: 'new' });
    expect(await place({ qty: '0.01', type: 'limit', limitPrice: below, timeInForce: 'ioc' })).toMatchObject({
      status: 'canceled',
    });
    const stop = { qty: '0.01', type: 'stop_limit', stopPrice: above, limitPrice: above };
    expect(await place(stop)).toMatchObject({ status: 'new', timeInForce: 'gtc' });
    const open = await alpaca.trading.orders.getAllOrders({ symbols: 'BTCUSD', assetClass: ['crypto'] });
    expect(open).toHaveLength(2);
  });

  it('is among the assets, with what may be ordered of it', async () => {
    const coins = await alpaca.trading.assets.getV2Assets({ assetClass: 'crypto' });
    expect(coins.map(({ symbol }) => symbol)).toContain('ETH/USD');
    expect(
      await alpaca.trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'ETHUSD' }),
    ).toMatchObject({
      symbol: 'ETH/USD',
      fractionable: true,
      shortable: false,
      minOrderSize: '0.0003',
    });
    expect(await alpaca.trading.assets.getV2Assets({})).not.toContainEqual(
      expect.objectContaining({ symbol: 'ETH/USD' }),
    );
  });

  it('has bars at the weekend, whose last price is that of the latest trade', async () => {
    const { crypto } = alpaca.marketData;
    const request = { loc: 'us' as const, symbols: 'BTC/USD' };
    const { bars } = await crypto.cryptoBars({
      ...request,
      timeframe: '1Hour',
      start: new Date(world.clock.now() - 6 * 3_600_000),
    });
    expect(bars['BTC/USD']?.length).toBeGreaterThan(5);
    const { snapshots } = await crypto.cryptoSnapshots(request);
    expect(snapshots['BTC/USD']?.latestTrade?.p).toBe(bars['BTC/USD']?.at(-1)?.c);
  });

  it.each([
    ['for the day', { qty: '0.1', timeInForce: 'day' }, 42210000, /invalid crypto time_in_force/],
    [
      'at a stop',
      { qty: '0.1', type: 'stop', stopPrice: '90000' },
      40010001,
      /invalid order type for crypto/,
    ],
    [
      'in a bracket',
      {
        qty: '1',
        orderClass: 'bracket',
        takeProfit: { limitPrice: '99000' },
        stopLoss: { stopPrice: '9000' },
      },
      42210000,
      /advanced order_class: otoco/,
    ],
    [
      'in extended hours',
      { qty: '0.1', type: 'limit', limitPrice: '1', extendedHours: true },
      42210000,
      /extended/,
    ],
    ['of a pair that nobody trades', { symbol: 'XYZ/USD', qty: '1' }, 42210000, /"XYZ\/USD" not found/],
  ])('is not ordered %s', async (_how, request, code, message) => {
    expect(await refusal(place(request))).toMatchObject({
      status: 422,
      code,
      message: expect.stringMatching(message),
    });
    expect(await refusal(place({ notional: '9' }))).toMatchObject({
      status: 403,
      message: expect.stringContaining('minimal amount of order 10'),
    });
    expect(world.broker.book()).toEqual([]);
  });
});
