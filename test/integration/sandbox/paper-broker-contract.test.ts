import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Alpaca } from '@alpacahq/alpaca-trade-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { behindPrism, type Connect, missing, patchedSpec, startPrism, stopPrisms, within } from './alpaca-contract.ts';
import { ADMIN_SECRET, KEYS, startWorld, type World } from './paper-broker-world.ts';

describe.skipIf(missing !== undefined)("the paper broker keeps to Alpaca's contract", () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-specs-'));
  let world: World;
  let alpaca: Alpaca;
  let connect: Connect;
  let spec: string;

  beforeAll(async () => {
    world = await startWorld({ partialFills: true });
    spec = patchedSpec('alpaca-trading-api.json', folder);
    connect = await behindPrism(world, folder);
    alpaca = await connect();
  });
  afterAll(async () => {
    await stopPrisms();
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('and prism would notice if it did not', async () => {
    const broken = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ id: 'no uuid', status: 'ACTIVE', pattern_day_trader: false }));
    });
    broken.listen(0, '127.0.0.1');
    await once(broken, 'listening');
    const proxy = await startPrism(spec, `http://127.0.0.1:${(broken.address() as AddressInfo).port}`);
    const answer = await fetch(`${proxy}/v2/account`, { headers: { authorization: 'Bearer x' } });
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).toContain('uuid');
    expect(text).toContain('additional');
    broken.closeAllConnections();
    broken.close();
  });

  it('by a key pair in Alpaca’s own headers, which nothing else is let in by', async () => {
    const [trading, data] = await Promise.all([
      startPrism(patchedSpec('alpaca-trading-api.json', folder, 'key_pair'), world.url),
      startPrism(patchedSpec('alpaca-market-data-api.json', folder, 'key_pair'), world.url),
    ]);
    const fetchApi = (input: string, init?: RequestInit) => {
      const asked = new URL(input);
      return fetch(new URL(asked.pathname + asked.search, asked.hostname.startsWith('data.') ? data : trading), init);
    };
    const byKey = new Alpaca({ ...KEYS.alice, rateLimit: false, retry: false, fetchApi });
    expect(await within(byKey.trading.account.getAccount())).toMatchObject({ accountNumber: 'PA3ALICE01' });
    await within(byKey.trading.orders.limit({ symbol: 'KO', side: 'buy', qty: '1', limitPrice: '1' }));
    await within(byKey.marketData.stocks.stockSnapshots({ symbols: 'AAPL' }));
    const byToken = new Alpaca({
      accessToken: await world.token(),
      rateLimit: false,
      retry: false,
      fetchApi,
    });
    await expect(byToken.trading.account.getAccount()).rejects.toMatchObject({ status: 401 });
  });

  it('for account, history, positions, clock, calendar and assets', async () => {
    const { trading } = alpaca;
    await within(trading.account.getAccount());
    for (const [period, timeframe] of [
      ['1D', '1Min'],
      ['1W', '15Min'],
      ['1M', '1D'],
      ['1A', '1D'],
    ] as const) {
      const history = await within(trading.portfolioHistory.getAccountPortfolioHistory({ period, timeframe }));
      expect(history.timestamp.length).toBeGreaterThan(0);
    }
    expect(await within(trading.positions.getAllOpenPositions())).toHaveLength(5);
    await within(trading.positions.getOpenPosition({ symbolOrAssetId: 'AAPL' }));
    await within(trading.clock.legacyClock());
    expect((await within(trading.calendar.legacyCalendar())).length).toBeGreaterThan(100);
    expect((await within(trading.accountActivities.getAccountActivities())).length).toBeGreaterThan(6);
    await within(trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: 'BRK.B' }));
    await within(trading.assets.getV2Assets({ status: 'active' }));
  });

  it('for every type of order, from placing to its end', async () => {
    const { orders } = alpaca.trading;
    world.market.setPrice('AAPL', '230.00');
    const buy = { symbol: 'AAPL', side: 'buy', qty: '4' } as const;
    const sell = { symbol: 'MSFT', side: 'sell', qty: '2', timeInForce: 'gtc' } as const;
    const byAmount = { symbol: 'TSLA', side: 'buy', notional: '250', timeInForce: 'day' } as const;
    const placed = [
      await within(orders.market(buy)),
      await within(orders.market({ symbol: 'TSLA', side: 'buy', notional: '250' })),
      await within(orders.limit({ ...buy, limitPrice: '100', timeInForce: 'gtc' })),
      await within(orders.limit({ ...buy, limitPrice: '100', timeInForce: 'fok' })),
      await within(orders.limit({ ...buy, limitPrice: '100', timeInForce: 'day', extendedHours: true })),
      await within(orders.stop({ ...sell, stopPrice: '100' })),
      await within(orders.stopLimit({ ...sell, stopPrice: '100', limitPrice: '99' })),
      await within(orders.trailingStop({ ...sell, trailPrice: '40' })),
      await within(orders.trailingStop({ ...sell, trailPercent: '10' })),
      await within(orders.market({ ...buy, symbol: 'KO', timeInForce: 'cls' })),
      // The SDK's own helper has no amount with a limit; the request has.
      await within(orders.postOrder({ postOrderRequest: { ...byAmount, type: 'limit', limitPrice: '9999' } })),
    ];
    // One order in ten fills in two parts, by its random client_order_id.
    const statuses = new Set(placed.map((order) => order.status));
    statuses.delete('partially_filled');
    expect(statuses).toEqual(new Set(['filled', 'new', 'canceled', 'accepted']));
    for (const { id = '', clientOrderId = '' } of placed) {
      await within(orders.getOrderByOrderID({ orderId: id }));
      await within(orders.getOrderByClientOrderId({ clientOrderId }));
    }
    const resting = placed[2]?.id ?? '';
    const replaced = await within(
      orders.patchOrderByOrderId({
        orderId: resting,
        patchOrderRequest: { limitPrice: '101', clientOrderId: 'ta-contract-instead' },
      }),
    );
    expect(replaced).toMatchObject({ replaces: resting, clientOrderId: 'ta-contract-instead' });
    const earlier = await within(orders.getOrderByOrderID({ orderId: resting }));
    expect(earlier).toMatchObject({ status: 'replaced', replacedBy: replaced.id });
    expect(earlier.replacedAt).toBeInstanceOf(Date);
    await within(orders.deleteOrderByOrderID({ orderId: replaced.id ?? '' }));
    await within(orders.deleteAllOrders());
    for (const status of ['open', 'closed', 'all'] as const) await within(orders.getAllOrders({ status }));
  });

  it('for an order that is partly filled', async () => {
    const { orders } = alpaca.trading;
    for (let i = 0; ; i++) {
      const order = await within(
        orders.market({ symbol: 'F', side: 'buy', qty: '10', clientOrderId: `ta-contract-${i}` }),
      );
      if (order.status === 'partially_filled') break;
      expect(i).toBeLessThan(60);
    }
  });

  it('for refusals of an order', async () => {
    const { orders } = alpaca.trading;
    const refused = async (work: Promise<unknown>, status: number, code: number) =>
      expect(await work.catch((error: unknown) => error)).toMatchObject({ status, code });
    await refused(orders.market({ symbol: 'AAPL', side: 'buy', qty: '90000' }), 403, 40310000);
    await refused(orders.market({ symbol: 'NOSUCH', side: 'buy', qty: '1' }), 422, 42210000);
    const done = await within(orders.market({ symbol: 'KO', side: 'buy', qty: '1', clientOrderId: 'ta-twice' }));
    await refused(orders.market({ symbol: 'KO', side: 'buy', qty: '1', clientOrderId: 'ta-twice' }), 422, 40010001);
    await refused(orders.deleteOrderByOrderID({ orderId: done.id ?? '' }), 422, 42210000);
    const patchOrderRequest = { qty: '2' };
    await refused(orders.patchOrderByOrderId({ orderId: done.id ?? '', patchOrderRequest }), 422, 42210000);
  });

  it('for quotes, trades, snapshots and bars', async () => {
    const { stocks } = alpaca.marketData;
    await within(stocks.stockLatestQuotes({ symbols: 'AAPL,BRK.B,F' }));
    await within(stocks.stockLatestQuoteSingle({ symbol: 'AAPL' }));
    await within(stocks.stockLatestTrades({ symbols: 'AAPL,NOSUCH' }));
    await within(stocks.stockLatestTradeSingle({ symbol: 'AAPL' }));
    await within(stocks.stockSnapshots({ symbols: 'AAPL,MSFT' }));
    await within(stocks.stockSnapshotSingle({ symbol: 'AAPL' }));
    for (const timeframe of ['1Min', '1Hour', '1Day', '1Week']) {
      const start = new Date(world.clock.now() - 20 * 86_400_000);
      const { bars } = await within(stocks.stockBars({ symbols: 'AAPL,F', timeframe, start, limit: 50 }));
      expect(Object.values(bars).flat().length).toBeGreaterThan(1);
      await within(stocks.stockBarSingle({ symbol: 'AAPL', timeframe, start, limit: 50 }));
    }
  });

  it('for news and corporate actions', async () => {
    const { news, corporateActions } = alpaca.marketData;
    expect((await within(news.news({}))).news).toHaveLength(10);
    const first = await within(news.news({ symbols: 'AAPL,KO', limit: 3 }));
    expect(first.news).toHaveLength(3);
    const second = await within(news.news({ symbols: 'AAPL,KO', limit: 3, pageToken: first.nextPageToken ?? '' }));
    expect(second.news.map(({ id }) => id)).not.toContain(first.news.at(-1)?.id);
    const year = { start: new Date('2026-01-01'), end: new Date('2026-12-31') };
    const symbols = world.market
      .symbols()
      .slice(0, 10)
      .map(({ symbol }) => symbol);
    const answer = await within(corporateActions.corporateActions({ ...year, symbols: symbols.join(','), limit: 5 }));
    expect(answer.corporateActions.cashDividends).toHaveLength(5);
    expect(answer.nextPageToken).toBeTruthy();
    await within(corporateActions.corporateActions({ ...year, symbols: 'AAPL', types: 'forward_split' }));
  });

  it('for every kind of corporate action, and what it and others book without a trade', async () => {
    const admin = (path: string, body: unknown) =>
      fetch(`${world.url}/admin/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
      });
    const rates = { acquiree_rate: 1, acquirer_rate: 0.5, effective_date: '2026-11-26' };
    const on = { ex_date: '2026-11-26' };
    const announced = await admin('corporate-actions', {
      cash_dividends: [{ symbol: 'AAPL', rate: 0.26, ex_date: '2026-11-25', payable_date: '2026-11-25' }],
      forward_splits: [{ symbol: 'AAPL', new_rate: 3, old_rate: 1, ...on }],
      reverse_splits: [{ symbol: 'KO', new_rate: 1, old_rate: 10, ...on }],
      spin_offs: [{ source_symbol: 'MSFT', source_rate: 5, new_symbol: 'F', new_rate: 1, ...on }],
      cash_mergers: [{ acquiree_symbol: 'JPM', rate: 250.5, effective_date: '2026-11-26' }],
      stock_mergers: [{ acquiree_symbol: 'NVDA', acquirer_symbol: 'AMD', ...rates }],
      stock_and_cash_mergers: [{ acquiree_symbol: 'T', acquirer_symbol: 'VZ', cash_rate: 2, ...rates }],
      name_changes: [{ old_symbol: 'PFE', new_symbol: 'PFIZ', process_date: '2026-11-26' }],
    });
    expect(announced.status).toBe(200);
    for (const [activity_type, what] of [
      ['CSD', { net_amount: '500' }],
      ['FEE', { net_amount: '-0.02', activity_sub_type: 'REG' }],
      ['JNLS', { symbol: 'AAPL', qty: '2' }],
    ] as const) {
      expect((await admin('accounts/alice/activities', { activity_type, ...what })).status).toBe(200);
    }
    await world.clock.advance(40 * 3_600_000);
    alpaca = await connect();
    const { corporateActions } = await within(
      alpaca.marketData.corporateActions.corporateActions({
        symbols: 'AAPL,KO,MSFT,JPM,NVDA,T,PFE',
        start: new Date('2026-11-25'),
        end: new Date('2026-11-26'),
      }),
    );
    expect(Object.values(corporateActions).flat().length).toBeGreaterThanOrEqual(8);
    const { trading } = alpaca;
    const rows = await within(trading.accountActivities.getAccountActivities({ category: 'non_trade_activity' }));
    const types = new Set(rows.map(({ activityType }) => activityType));
    expect([...types].sort()).toEqual(expect.arrayContaining(['CSD', 'DIV', 'FEE', 'JNLS', 'MA', 'SPIN', 'SPLIT']));
    await within(trading.positions.getAllOpenPositions());
    const history = await within(
      trading.portfolioHistory.getAccountPortfolioHistory({
        period: '1M',
        timeframe: '1D',
        cashflowTypes: 'ALL',
      }),
    );
    expect(Object.keys(history.cashflow ?? {})).toEqual(expect.arrayContaining(['CSD', 'DIV', 'FEE', 'MA']));
  });

  it('for watchlists', async () => {
    const { watchlists } = alpaca.trading;
    expect(await within(watchlists.getWatchlists())).toEqual([]);
    const made = await within(
      watchlists.postWatchlist({ createWatchlistRequest: { name: 'mine', symbols: ['AAPL', 'KO'] } }),
    );
    expect(made.assets?.map(({ symbol }) => symbol)).toEqual(['AAPL', 'KO']);
    const changed = { watchlistId: made.id, updateWatchlistRequest: { name: 'ours', symbols: ['KO'] } };
    expect(await within(watchlists.updateWatchlistById(changed))).toMatchObject({ name: 'ours' });
    expect((await within(watchlists.getWatchlists())).map(({ name }) => name)).toEqual(['ours']);
    await within(watchlists.deleteWatchlistById({ watchlistId: made.id }));
    await expect(watchlists.getWatchlistById({ watchlistId: made.id })).rejects.toMatchObject({
      status: 404,
    });
  });
});
