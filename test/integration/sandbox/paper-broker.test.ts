import { ApiError } from '@alpacahq/alpaca-trade-api';
import { describe, expect, it } from 'vitest';
import {
  account,
  admin,
  alpaca,
  byClientId,
  cancel,
  eachWithBroker,
  orders,
  placing,
  position,
  read,
  refused,
  statuses,
  trading,
  world,
} from './paper-broker-desk.ts';

eachWithBroker();

describe("Alpaca's SDK reads", () => {
  it('the account, whose equity is its cash and its positions', async () => {
    const told = await account();
    expect(told).toMatchObject({ status: 'ACTIVE', accountNumber: 'PA3ALICE01', currency: 'USD' });
    const positions = await trading.positions.getAllOpenPositions();
    expect(positions.map(({ symbol, qty }) => `${symbol} ${qty}`).join()).toBe('AAPL 40,JPM 20,KO 75,MSFT 25,NVDA 60');
    const value = positions.reduce((sum, { marketValue }) => sum + Number(marketValue), 0);
    expect(Number(told.equity)).toBeCloseTo(Number(told.cash) + value, 2);
    expect(told).not.toHaveProperty('pattern_day_trader');
  });

  it('one position, and says when there is none', async () => {
    const apples = { symbol: 'AAPL', qty: '40', qtyAvailable: '40', side: 'long' };
    expect(await position('AAPL')).toMatchObject(apples);
    await refused(position('TSLA'), 404, 40410000);
  });

  it('quotes, trades and snapshots of real symbols, leaving out unknown ones', async () => {
    const { stocks } = alpaca.marketData;
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
    const { stocks } = alpaca.marketData;
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
    const { clock, calendar } = trading;
    expect(await clock.legacyClock()).toMatchObject({ isOpen: true });
    const [start, end] = [new Date('2026-11-23'), new Date('2026-11-29')];
    const days = await calendar.legacyCalendar({ start, end });
    expect(days).toHaveLength(7);
  });

  it('assets, and says when there is no such one', async () => {
    const { assets } = trading;
    const get = (symbolOrAssetId: string) => assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId });
    const asset = await get('AAPL');
    expect(asset).toMatchObject({ symbol: 'AAPL', name: 'Apple Inc.', tradable: true, fractionable: true });
    expect((await get(asset.id)).symbol).toBe('AAPL');
    await refused(get('NOSUCH'), 404, 40410000);
    expect((await assets.getV2Assets({ status: 'active' })).length).toBe(1505);
  });

  it('activities: fills and deposits in the order of time, a page at a time', async () => {
    const { accountActivities } = trading;
    const ask = (request: object) => accountActivities.getAccountActivities({ direction: 'asc', ...request });
    const all = await ask({});
    expect(all.filter((activity) => activity.activityType === 'CSD')).toHaveLength(2);
    expect(all.filter((activity) => activity.activityType === 'FILL').length).toBeGreaterThanOrEqual(5);
    const deposits = [{ netAmount: '60000' }, { netAmount: '40000' }];
    expect(await ask({ activityTypes: ['CSD'] })).toMatchObject(deposits);
    const paged: typeof all = [];
    for (let last: string | undefined, pages = 0; pages < 20; pages++) {
      const page: typeof all = await ask({ pageSize: 3, ...(last && { pageToken: last }) });
      paged.push(...page);
      last = page.at(-1)?.id;
      if (page.length < 3) break;
    }
    expect(paged).toEqual(all);
  });

  it('portfolio history that ends at the equity of today', async () => {
    const { portfolioHistory, account } = trading;
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
  const place = placing({ symbol: 'AAPL', side: 'buy', qty: '5', timeInForce: 'gtc' });
  const price = (value: string) => world.market.setPrice('AAPL', value);

  it('a market order that fills at the ask and changes cash and position by that much', async () => {
    const before = await account();
    price('230.00');
    const ask = world.market.quote('AAPL')?.ask;
    const order = await orders.market({ symbol: 'AAPL', side: 'buy', qty: '5' });
    expect(order).toMatchObject({ status: 'filled', filledQty: '5', filledAvgPrice: String(Number(ask)) });
    const after = await account();
    expect(Number(before.cash) - Number(after.cash)).toBeCloseTo(5 * Number(ask), 2);
    expect((await position('AAPL')).qty).toBe('45');
  });

  it('an order by amount, which buys a fraction', async () => {
    const order = await orders.market({ symbol: 'TSLA', side: 'buy', notional: '500' });
    expect(order.status).toBe('filled');
    expect(order.qty).toBeUndefined();
    expect(Number(order.filledQty) * Number(order.filledAvgPrice)).toBeCloseTo(500, 1);
  });

  it('a limit order that rests until the market comes to it', async () => {
    price('230.00');
    const order = await place({ type: 'limit', limitPrice: '220.00' });
    expect(order).toMatchObject({ status: 'new', filledQty: '0' });
    price('219.50');
    const later = await read(order);
    expect(later.status).toBe('filled');
    expect(Number(later.filledAvgPrice)).toBeLessThanOrEqual(220);
  });

  it('a stop that waits for its price and then sells at the bid', async () => {
    price('230.00');
    const order = await place({ type: 'stop', side: 'sell', qty: '10', stopPrice: '225.00' });
    expect(order.status).toBe('new');
    expect((await position('AAPL')).qtyAvailable).toBe('30');
    price('224.00');
    const later = await read(order);
    expect(later).toMatchObject({ status: 'filled' });
    expect(Number(later.filledAvgPrice)).toBeLessThan(224);
  });

  it('a stop limit that, once triggered, still holds out for its limit', async () => {
    price('230.00');
    await place({ type: 'stop_limit', side: 'sell', stopPrice: '225.00', limitPrice: '224.50' });
    for (const [value, status] of [
      ['220.00', 'new'],
      ['226.00', 'filled'],
    ] as const) {
      price(value);
      world.broker.settle();
      expect(statuses()).toEqual([status]);
    }
  });

  it('a trailing stop that follows the price up and sells on the way down', async () => {
    price('200.00');
    const order = await place({ type: 'trailing_stop', side: 'sell', trailPercent: '5' });
    expect(order).toMatchObject({ hwm: '200', stopPrice: '190' });
    price('240.00');
    expect(await read(order)).toMatchObject({ status: 'new', hwm: '240', stopPrice: '228' });
    price('227.99');
    expect((await read(order)).status).toBe('filled');
  });

  it('fok and ioc orders, which never rest', async () => {
    price('230.00');
    for (const timeInForce of ['fok', 'ioc']) {
      for (const [limitPrice, status] of [
        ['100', 'canceled'],
        ['240', 'filled'],
      ]) {
        expect((await place({ type: 'limit', limitPrice, timeInForce })).status).toBe(status);
      }
    }
  });

  it('an order of its own id, found again by it', async () => {
    const order = await place({ type: 'market', clientOrderId: 'ta-own-id-1' });
    const found = await byClientId('ta-own-id-1');
    expect(found.id).toBe(order.id);
    await refused(byClientId('ta-none'), 404, 40410000);
  });

  it('and cancels: one, all, and none that is finished', async () => {
    const far = { symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '100', timeInForce: 'gtc' } as const;
    const first = await orders.limit(far);
    await cancel(first);
    expect((await read(first)).status).toBe('canceled');
    await refused(cancel(first), 422, 42210000);
    await orders.limit(far);
    await orders.limit(far);
    expect(await orders.deleteAllOrders()).toHaveLength(2);
    expect(await orders.getAllOrders({ status: 'open' })).toHaveLength(0);
  });

  it('and lists orders by state, symbol and direction', async () => {
    const far = { side: 'buy', qty: '1', limitPrice: '10', timeInForce: 'gtc' } as const;
    await orders.limit({ ...far, symbol: 'AAPL' });
    await world.clock.advance(1000);
    await orders.limit({ ...far, symbol: 'MSFT' });
    await orders.market({ symbol: 'KO', side: 'buy', qty: '1' });
    const symbols = async (request: Parameters<typeof orders.getAllOrders>[0]) =>
      (await orders.getAllOrders(request)).map((order) => order.symbol);
    expect(await symbols({ status: 'open' })).toEqual(['MSFT', 'AAPL']);
    expect(await symbols({ status: 'open', direction: 'asc', limit: 1 })).toEqual(['AAPL']);
    expect(await symbols({ status: 'closed' })).toEqual(['KO']);
    expect(await symbols({ status: 'all', symbols: ['KO', 'MSFT'] })).toEqual(['KO', 'MSFT']);
  });
});

describe('faults', () => {
  it('broker_timeout_after_accept keeps the order and drops the connection', async () => {
    world.faults.set('broker_timeout_after_accept', 1);
    const lost = orders.market({ symbol: 'AAPL', side: 'buy', qty: '5', clientOrderId: 'ta-lost-answer' });
    await expect(lost).rejects.not.toBeInstanceOf(ApiError);
    const found = await byClientId('ta-lost-answer');
    expect(found).toMatchObject({ status: 'filled', filledQty: '5' });
    expect(world.broker.book()).toHaveLength(1);
  });

  it('broker_5xx answers 500 and does nothing', async () => {
    world.faults.set('broker_5xx', 1);
    await refused(orders.market({ symbol: 'AAPL', side: 'buy', qty: '5' }), 500);
    expect(world.broker.book()).toEqual([]);
    expect((await account()).status).toBe('ACTIVE');
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
  it('hold a price and show the book', async () => {
    await orders.limit({ symbol: 'AAPL', side: 'buy', qty: '1', limitPrice: '100', timeInForce: 'gtc' });
    const { body: price } = await admin('PUT', 'prices/AAPL', { price: '99.00' });
    expect(price).toMatchObject({ symbol: 'AAPL', last: '99.00' });
    const { body: book } = await admin('GET', 'book');
    expect(book).toMatchObject({ orders: [{ status: 'filled', account_number: 'PA3ALICE01' }] });
  });

  it('are closed to others', async () => {
    expect((await fetch(`${world.url}/admin/book`)).status).toBe(401);
    expect((await admin('GET', 'book', undefined, await world.token())).status).toBe(401);
  });
});
