import { ApiError } from '@alpacahq/alpaca-trade-api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADMIN_SECRET, refusal, startWorld, type World } from './paper-broker-world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

describe("Alpaca's SDK reads", () => {
  it('the account, whose equity is its cash and its positions', async () => {
    const alpaca = await world.alpaca();
    const account = await alpaca.trading.account.getAccount();
    expect(account).toMatchObject({ status: 'ACTIVE', accountNumber: 'PA3ALICE01', currency: 'USD' });
    const positions = await alpaca.trading.positions.getAllOpenPositions();
    expect(positions.map(({ symbol, qty }) => [symbol, qty])).toEqual([
      ['AAPL', '40'],
      ['JPM', '20'],
      ['KO', '75'],
      ['MSFT', '25'],
      ['NVDA', '60'],
    ]);
    const value = positions.reduce((sum, { marketValue }) => sum + Number(marketValue), 0);
    expect(Number(account.equity)).toBeCloseTo(Number(account.cash) + value, 2);
    expect(account).not.toHaveProperty('pattern_day_trader');
  });

  it('one position, and says when there is none', async () => {
    const alpaca = await world.alpaca();
    const position = await alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'AAPL' });
    expect(position).toMatchObject({ symbol: 'AAPL', qty: '40', qtyAvailable: '40', side: 'long' });
    expect(
      await refusal(alpaca.trading.positions.getOpenPosition({ symbolOrAssetId: 'TSLA' })),
    ).toMatchObject({
      status: 404,
      code: 40410000,
    });
  });

  it('quotes, trades and snapshots of real symbols, leaving out unknown ones', async () => {
    const { stocks } = (await world.alpaca()).marketData;
    const { quotes } = await stocks.stockLatestQuotes({ symbols: 'AAPL,BRK.B,NOSUCH' });
    expect(Object.keys(quotes)).toEqual(['AAPL', 'BRK.B']);
    const { trade } = await stocks.stockLatestTradeSingle({ symbol: 'AAPL' });
    expect(quotes.AAPL?.bp).toBeLessThanOrEqual(trade.p);
    expect(quotes.AAPL?.ap).toBeGreaterThan(quotes.AAPL?.bp ?? 0);
    const snapshots = await stocks.stockSnapshots({ symbols: 'AAPL' });
    expect(snapshots.AAPL?.latestTrade?.p).toBe(trade.p);
    expect(snapshots.AAPL?.prevDailyBar?.c).toBeGreaterThan(0);
  });

  it('bars by the page until none is left', async () => {
    const { stocks } = (await world.alpaca()).marketData;
    const start = new Date('2026-11-01T05:00:00Z');
    const request = { symbols: 'AAPL,MSFT', timeframe: '1Day', start };
    const whole = await stocks.stockBars(request);
    const paged: Record<string, unknown[]> = {};
    let pageToken: string | undefined;
    let pages = 0;
    do {
      const page = await stocks.stockBars({ ...request, limit: 7, ...(pageToken && { pageToken }) });
      for (const [symbol, bars] of Object.entries(page.bars)) {
        paged[symbol] = [...(paged[symbol] ?? []), ...bars];
      }
      pageToken = page.nextPageToken ?? undefined;
      pages += 1;
    } while (pageToken);
    expect(pages).toBeGreaterThan(3);
    expect(paged).toEqual(whole.bars);
    const { trade } = await stocks.stockLatestTradeSingle({ symbol: 'AAPL' });
    expect(whole.bars.AAPL?.at(-1)?.c).toBe(trade.p);
  });

  it('the clock and the calendar', async () => {
    const { clock, calendar } = (await world.alpaca()).trading;
    expect(await clock.legacyClock()).toMatchObject({ isOpen: true });
    const days = await calendar.legacyCalendar({
      start: new Date('2026-11-23T00:00:00Z'),
      end: new Date('2026-11-29T00:00:00Z'),
    });
    expect(days).toHaveLength(7);
  });

  it('assets, and says when there is no such one', async () => {
    const { assets } = (await world.alpaca()).trading;
    const asset = await assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'AAPL' });
    expect(asset).toMatchObject({ symbol: 'AAPL', name: 'Apple Inc.', tradable: true, fractionable: true });
    const again = await assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: asset.id });
    expect(again.symbol).toBe('AAPL');
    expect(await refusal(assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'NOSUCH' }))).toMatchObject({
      status: 404,
      code: 40410000,
    });
    expect((await assets.getV2Assets({ status: 'active' })).length).toBe(1505);
  });

  it('activities: fills and deposits in the order of time, a page at a time', async () => {
    const { accountActivities } = (await world.alpaca()).trading;
    const all = await accountActivities.getAccountActivities({ direction: 'asc' });
    expect(all.map((activity) => activity.activityType).filter((type) => type === 'CSD')).toHaveLength(2);
    expect(all.filter((activity) => activity.activityType === 'FILL').length).toBeGreaterThanOrEqual(5);
    const deposits = await accountActivities.getAccountActivities({
      activityTypes: ['CSD'],
      direction: 'asc',
    });
    expect(deposits.map((activity) => (activity as { netAmount?: string }).netAmount)).toEqual([
      '60000',
      '40000',
    ]);
    const paged: typeof all = [];
    for (let last: string | undefined, pages = 0; pages < 20; pages++) {
      const page: typeof all = await accountActivities.getAccountActivities({
        pageSize: 3,
        direction: 'asc',
        ...(last === undefined ? {} : { pageToken: last }),
      });
      paged.push(...page);
      last = page.at(-1)?.id;
      if (page.length < 3) break;
    }
    expect(paged).toEqual(all);
  });

  it('portfolio history that ends at the equity of today', async () => {
    const { portfolioHistory, account } = (await world.alpaca()).trading;
    const history = await portfolioHistory.getAccountPortfolioHistory({ period: '1M', timeframe: '1D' });
    expect(history.equity.length).toBe(history.timestamp.length);
    expect(history.equity.length).toBeGreaterThan(28);
    expect(history.equity.at(-1)).toBe(Number((await account.getAccount()).equity));
    const whole = await portfolioHistory.getAccountPortfolioHistory({ period: '1A', timeframe: '1D' });
    expect(whole.equity[0]).toBeGreaterThan(59_000); // the first deposit
    expect(whole.equity[0]).toBeLessThan(61_000);
  });
});

describe("Alpaca's SDK places", () => {
  it('a market order that fills at the ask and changes cash and position by that much', async () => {
    const { trading } = await world.alpaca();
    const before = await trading.account.getAccount();
    world.market.setPrice('AAPL', '230.00');
    const ask = world.market.quote('AAPL')?.ask;
    const order = await trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '5' });
    expect(order).toMatchObject({ status: 'filled', filledQty: '5', filledAvgPrice: String(Number(ask)) });
    const after = await trading.account.getAccount();
    expect(Number(before.cash) - Number(after.cash)).toBeCloseTo(5 * Number(ask), 2);
    expect((await trading.positions.getOpenPosition({ symbolOrAssetId: 'AAPL' })).qty).toBe('45');
  });

  it('an order by amount, which buys a fraction', async () => {
    const { trading } = await world.alpaca();
    const order = await trading.orders.market({ symbol: 'TSLA', side: 'buy', notional: '500' });
    expect(order.status).toBe('filled');
    expect(order.qty).toBeUndefined();
    expect(Number(order.filledQty) * Number(order.filledAvgPrice)).toBeCloseTo(500, 1);
  });

  it('a limit order that rests until the market comes to it', async () => {
    const { trading } = await world.alpaca();
    world.market.setPrice('AAPL', '230.00');
    const order = await trading.orders.limit({
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
      limitPrice: '220.00',
      timeInForce: 'gtc',
    });
    expect(order).toMatchObject({ status: 'new', filledQty: '0' });
    world.market.setPrice('AAPL', '219.50');
    const later = await trading.orders.getOrderByOrderID({ orderId: order.id ?? '' });
    expect(later.status).toBe('filled');
    expect(Number(later.filledAvgPrice)).toBeLessThanOrEqual(220);
  });

  it('a stop that waits for its price and then sells at the bid', async () => {
    const { trading } = await world.alpaca();
    world.market.setPrice('AAPL', '230.00');
    const order = await trading.orders.stop({
      symbol: 'AAPL',
      side: 'sell',
      qty: '10',
      stopPrice: '225.00',
      timeInForce: 'gtc',
    });
    expect(order.status).toBe('new');
    expect((await trading.positions.getOpenPosition({ symbolOrAssetId: 'AAPL' })).qtyAvailable).toBe('30');
    world.market.setPrice('AAPL', '224.00');
    const later = await trading.orders.getOrderByOrderID({ orderId: order.id ?? '' });
    expect(later).toMatchObject({ status: 'filled' });
    expect(Number(later.filledAvgPrice)).toBeLessThan(224);
  });

  it('a stop limit that, once triggered, still holds out for its limit', async () => {
    const { trading } = await world.alpaca();
    world.market.setPrice('AAPL', '230.00');
    const { id = '' } = await trading.orders.stopLimit({
      symbol: 'AAPL',
      side: 'sell',
      qty: '10',
      stopPrice: '225.00',
      limitPrice: '224.50',
      timeInForce: 'gtc',
    });
    const status = async () => (await trading.orders.getOrderByOrderID({ orderId: id })).status;
    world.market.setPrice('AAPL', '220.00');
    expect(await status()).toBe('new');
    world.market.setPrice('AAPL', '226.00');
    expect(await status()).toBe('filled');
  });

  it('a trailing stop that follows the price up and sells on the way down', async () => {
    const { trading } = await world.alpaca();
    world.market.setPrice('AAPL', '200.00');
    const order = await trading.orders.trailingStop({
      symbol: 'AAPL',
      side: 'sell',
      qty: '10',
      trailPercent: '5',
      timeInForce: 'gtc',
    });
    expect(order).toMatchObject({ hwm: '200', stopPrice: '190' });
    world.market.setPrice('AAPL', '240.00');
    const up = await trading.orders.getOrderByOrderID({ orderId: order.id ?? '' });
    expect(up).toMatchObject({ status: 'new', hwm: '240', stopPrice: '228' });
    world.market.setPrice('AAPL', '227.99');
    expect((await trading.orders.getOrderByOrderID({ orderId: order.id ?? '' })).status).toBe('filled');
  });

  it('fok and ioc orders, which never rest', async () => {
    const { trading } = await world.alpaca();
    world.market.setPrice('AAPL', '230.00');
    for (const timeInForce of ['fok', 'ioc'] as const) {
      const far = await trading.orders.limit({
        symbol: 'AAPL',
        side: 'buy',
        qty: '5',
        limitPrice: '100',
        timeInForce,
      });
      expect(far.status).toBe('canceled');
      const near = await trading.orders.limit({
        symbol: 'AAPL',
        side: 'buy',
        qty: '5',
        limitPrice: '240',
        timeInForce,
      });
      expect(near.status).toBe('filled');
    }
  });

  it('an order of its own id, found again by it', async () => {
    const { trading } = await world.alpaca();
    const order = await trading.orders.market({
      symbol: 'AAPL',
      side: 'buy',
      qty: '1',
      clientOrderId: 'ta-own-id-1',
    });
    const found = await trading.orders.getOrderByClientOrderId({ clientOrderId: 'ta-own-id-1' });
    expect(found.id).toBe(order.id);
    expect(await refusal(trading.orders.getOrderByClientOrderId({ clientOrderId: 'ta-none' }))).toMatchObject(
      {
        status: 404,
        code: 40410000,
      },
    );
  });

  it('and cancels: one, all, and none that is finished', async () => {
    const { trading } = await world.alpaca();
    const far = { symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '100', timeInForce: 'gtc' } as const;
    const first = await trading.orders.limit(far);
    await trading.orders.deleteOrderByOrderID({ orderId: first.id ?? '' });
    expect((await trading.orders.getOrderByOrderID({ orderId: first.id ?? '' })).status).toBe('canceled');
    expect(await refusal(trading.orders.deleteOrderByOrderID({ orderId: first.id ?? '' }))).toMatchObject({
      status: 422,
      code: 42210000,
    });
    await trading.orders.limit(far);
    await trading.orders.limit(far);
    expect(await trading.orders.deleteAllOrders()).toHaveLength(2);
    expect(await trading.orders.getAllOrders({ status: 'open' })).toHaveLength(0);
  });

  it('and lists orders by state, symbol and direction', async () => {
    const { trading } = await world.alpaca();
    const far = { side: 'buy', qty: '1', limitPrice: '10', timeInForce: 'gtc' } as const;
    await trading.orders.limit({ ...far, symbol: 'AAPL' });
    await world.clock.advance(1000);
    await trading.orders.limit({ ...far, symbol: 'MSFT' });
    await trading.orders.market({ symbol: 'KO', side: 'buy', qty: '1' });
    const symbols = async (request: Parameters<typeof trading.orders.getAllOrders>[0]) =>
      (await trading.orders.getAllOrders(request)).map((order) => order.symbol);
    expect(await symbols({ status: 'open' })).toEqual(['MSFT', 'AAPL']);
    expect(await symbols({ status: 'open', direction: 'asc', limit: 1 })).toEqual(['AAPL']);
    expect(await symbols({ status: 'closed' })).toEqual(['KO']);
    expect(await symbols({ status: 'all', symbols: ['KO', 'MSFT'] })).toEqual(['KO', 'MSFT']);
  });
});

describe('faults', () => {
  it('broker_timeout_after_accept keeps the order and drops the connection', async () => {
    const { trading } = await world.alpaca();
    world.faults.set('broker_timeout_after_accept', 1);
    await expect(
      trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '5', clientOrderId: 'ta-lost-answer' }),
    ).rejects.not.toBeInstanceOf(ApiError);
    const found = await trading.orders.getOrderByClientOrderId({ clientOrderId: 'ta-lost-answer' });
    expect(found).toMatchObject({ status: 'filled', filledQty: '5' });
    expect(world.broker.book()).toHaveLength(1);
  });

  it('broker_5xx answers 500 and does nothing', async () => {
    const { trading } = await world.alpaca();
    world.faults.set('broker_5xx', 1);
    expect(await refusal(trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '5' }))).toMatchObject({
      status: 500,
    });
    expect(world.broker.book()).toEqual([]);
    expect((await trading.account.getAccount()).status).toBe('ACTIVE');
  });

  it('slow_answers waits two seconds by the clock', async () => {
    world.faults.set('slow_answers', 1);
    const answer = fetch(`${world.url}/healthz`);
    const first = await Promise.race([answer, fetch(`${world.url}/healthz`).then(() => 'the other one')]);
    expect(first).toBe('the other one');
    await world.clock.advance(2000);
    expect((await answer).status).toBe(200);
  });
});

describe('the admin routes', () => {
  const headers = { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' };

  it('hold a price and show the book', async () => {
    const { trading } = await world.alpaca();
    await trading.orders.limit({
      symbol: 'AAPL',
      side: 'buy',
      qty: '1',
      limitPrice: '100',
      timeInForce: 'gtc',
    });
    const answer = await fetch(`${world.url}/admin/prices/AAPL`, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ price: '99.00' }),
    });
    expect(await answer.json()).toMatchObject({ symbol: 'AAPL', last: '99.00' });
    const book = await fetch(`${world.url}/admin/book`, { headers });
    expect(await book.json()).toMatchObject({ orders: [{ status: 'filled', account_number: 'PA3ALICE01' }] });
  });

  it('are closed to others', async () => {
    expect((await fetch(`${world.url}/admin/book`)).status).toBe(401);
    const user = { authorization: `Bearer ${await world.token()}` };
    expect((await fetch(`${world.url}/admin/book`, { headers: user })).status).toBe(401);
  });
});
