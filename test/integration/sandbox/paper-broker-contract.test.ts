import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Alpaca, ApiError } from '@alpacahq/alpaca-trade-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_SECRET, KEYS, startWorld, type World } from './paper-broker-world.ts';

/**
 * Prism stands between Alpaca's SDK and the paper broker and turns every breach of Alpaca's OpenAPI contract, in
 * request or response, into an error. The contracts are not part of this repository: the folder that holds them is
 * named by TRADE_AGENT_SPECS, or lies beside the checkout.
 */
const root = resolve(import.meta.dirname, '../../..');
const specs = process.env.TRADE_AGENT_SPECS ?? resolve(root, '../shared/specs');
const prism = join(root, 'node_modules/@stoplight/prism-cli/dist/index.js');
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const missing = !existsSync(join(specs, 'alpaca-trading-api.json'))
  ? `Alpaca's contracts are not in ${specs}; name their folder in TRADE_AGENT_SPECS`
  : !process.env.CI && (major < 24 || (major === 24 && minor < 18))
    ? `prism needs Node 24.18, this is ${process.versions.node}`
    : undefined;
if (missing !== undefined)
  console.warn(`skipped: the paper broker against Alpaca's contract, because ${missing}`);

/** What Alpaca took out of the API in July 2026. */
const PATTERN_DAY_TRADER = ['pattern_day_trader', 'daytrade_count', 'daytrading_buying_power'];
/** Schemas that may have no member beyond those named, so that an invented one is a breach too. */
const CLOSED = [
  'Account',
  'Order',
  'OrderLeg',
  'Position',
  'Assets',
  'PortfolioHistory',
  'legacy_clock',
  'legacy_calendar_day',
  'TradingActivities',
  'NonTradeActivities',
  'CanceledOrderResponse',
  'Watchlist',
  'WatchlistWithoutAsset',
  'news',
  'news_resp',
  'cash_dividend',
  'forward_split',
  'reverse_split',
  'spin_off',
  'cash_merger',
  'stock_merger',
  'stock_and_cash_merger',
  'name_change',
  'corporate_actions',
  'corporate_actions_resp',
  'stock_quote',
  'stock_trade',
  'stock_bar',
  'stock_bars_resp',
  'stock_latest_quotes_resp',
  'stock_latest_trades_resp',
];

interface Spec {
  security: unknown;
  components: {
    securitySchemes: unknown;
    schemas: Record<string, { properties?: Record<string, unknown>; additionalProperties?: boolean }>;
  };
}

/** @param access by what requests are let in: by tokens, or as the contract has it, by key pairs */
function patchedSpec(name: string, folder: string, access: 'token' | 'key_pair' = 'token'): string {
  const spec = JSON.parse(readFileSync(join(specs, name), 'utf8')) as Spec;
  if (access === 'token') {
    spec.components.securitySchemes = { bearer: { type: 'http', scheme: 'bearer' } };
    spec.security = [{ bearer: [] }];
  }
  for (const schema of CLOSED) {
    const closed = spec.components.schemas[schema];
    if (closed !== undefined) closed.additionalProperties = false;
  }
  // Alpaca's own example of a leg has what its schema of one leaves out.
  const { Order: order, OrderLeg: leg } = spec.components.schemas;
  if (leg !== undefined) leg.properties = { ...order?.properties, ...leg.properties };
  for (const field of PATTERN_DAY_TRADER) delete spec.components.schemas.Account?.properties?.[field];
  const file = join(folder, `${access}-${name}`);
  writeFileSync(file, JSON.stringify(spec));
  return file;
}

const running: ChildProcess[] = [];

/** Starts prism and waits for the address it says it listens on. */
async function startPrism(spec: string, upstream: string): Promise<string> {
  const child = spawn(
    process.execPath,
    [prism, 'proxy', spec, upstream, '--errors', '--host', '127.0.0.1', '--port', '0'],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env.PATH, NO_COLOR: '1' } },
  );
  running.push(child);
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    said += `${line}\n`;
    const [, address] = /listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line) ?? [];
    if (address !== undefined) {
      child.stdout.resume(); // or it stops when the pipe is full
      return address;
    }
  }
  throw new Error(`prism ended before it listened: ${said.slice(-2000)}`);
}

describe.skipIf(missing !== undefined)("the paper broker keeps to Alpaca's contract", () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-specs-'));
  let world: World;
  let alpaca: Alpaca;
  /** With a fresh token. */
  let connect: () => Promise<Alpaca>;
  let spec: string;

  beforeAll(async () => {
    world = await startWorld({ partialFills: true });
    spec = patchedSpec('alpaca-trading-api.json', folder);
    const [trading, data] = await Promise.all([
      startPrism(spec, world.url),
      startPrism(patchedSpec('alpaca-market-data-api.json', folder), world.url),
    ]);
    connect = async () =>
      new Alpaca({
        accessToken: await world.token(),
        rateLimit: false,
        retry: false,
        fetchApi: (input, init) => {
          const asked = new URL(input);
          const proxy = asked.hostname.startsWith('data.') ? data : trading;
          return fetch(new URL(asked.pathname + asked.search, proxy), init);
        },
      });
    alpaca = await connect();
  });
  afterAll(async () => {
    for (const child of running) {
      if (child.exitCode !== null) continue;
      child.kill();
      await once(child, 'exit');
    }
    await world?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The body of a 500 names the breach; without it a failure would be a riddle. */
  const within = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const body = await error.response?.text().catch(() => '');
      throw new Error(`${error.status} ${error.message} ${body}`, { cause: error });
    }
  };

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
      return fetch(
        new URL(asked.pathname + asked.search, asked.hostname.startsWith('data.') ? data : trading),
        init,
      );
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
      const history = await within(
        trading.portfolioHistory.getAccountPortfolioHistory({ period, timeframe }),
      );
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
      await within(
        orders.postOrder({ postOrderRequest: { ...byAmount, type: 'limit', limitPrice: '9999' } }),
      ),
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

  it('for orders that hang together, from placing to their end', async () => {
    const { orders } = alpaca.trading;
    world.market.setPrice('GM', '50.00');
    const place = (postOrderRequest: Parameters<typeof orders.postOrder>[0]['postOrderRequest']) =>
      within(orders.postOrder({ postOrderRequest }));
    const terms = { symbol: 'GM', qty: '3', timeInForce: 'gtc' } as const;
    const exits = { takeProfit: { limitPrice: '55' }, stopLoss: { stopPrice: '45', limitPrice: '44' } };
    const entry = { ...terms, side: 'buy', type: 'limit', limitPrice: '49' } as const;
    const bracket = await place({ ...entry, orderClass: 'bracket', ...exits });
    expect(bracket.legs?.map(({ status }) => status)).toEqual(['held', 'held']);
    await place({ ...entry, orderClass: 'oto', stopLoss: { stopPrice: '45' } });
    world.market.setPrice('GM', '48.00');
    await world.clock.advance(3000);
    for (const nested of [true, false]) await within(orders.getAllOrders({ status: 'all', nested }));
    const [profit, stop] = bracket.legs ?? [];
    const replaced = await within(
      orders.patchOrderByOrderId({
        orderId: stop?.id ?? '',
        patchOrderRequest: { stopPrice: '46', limitPrice: '45' },
      }),
    );
    expect(replaced).toMatchObject({ orderClass: 'bracket', status: 'held', replaces: stop?.id });
    await within(orders.getOrderByOrderID({ orderId: bracket.id ?? '', nested: true }));
    await within(orders.deleteOrderByOrderID({ orderId: profit?.id ?? '' }));
    const oco = { ...terms, side: 'sell', type: 'limit', orderClass: 'oco', ...exits } as const;
    expect((await place(oco)).legs).toHaveLength(1);
    const refused = { status: 422, code: 42210000 };
    await expect(place({ ...oco, side: 'buy' })).rejects.toMatchObject({ cause: refused });
    await expect(place({ ...entry, ...exits, orderClass: 'bracket', qty: '1.5' })).rejects.toMatchObject({
      cause: refused,
    });
    await within(orders.deleteAllOrders());
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
    const done = await within(
      orders.market({ symbol: 'KO', side: 'buy', qty: '1', clientOrderId: 'ta-twice' }),
    );
    await refused(
      orders.market({ symbol: 'KO', side: 'buy', qty: '1', clientOrderId: 'ta-twice' }),
      422,
      40010001,
    );
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
    const second = await within(
      news.news({ symbols: 'AAPL,KO', limit: 3, pageToken: first.nextPageToken ?? '' }),
    );
    expect(second.news.map(({ id }) => id)).not.toContain(first.news.at(-1)?.id);
    const year = { start: new Date('2026-01-01'), end: new Date('2026-12-31') };
    const symbols = world.market
      .symbols()
      .slice(0, 10)
      .map(({ symbol }) => symbol);
    const answer = await within(
      corporateActions.corporateActions({ ...year, symbols: symbols.join(','), limit: 5 }),
    );
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
    const rows = await within(
      trading.accountActivities.getAccountActivities({ category: 'non_trade_activity' }),
    );
    const types = new Set(rows.map(({ activityType }) => activityType));
    expect([...types].sort()).toEqual(
      expect.arrayContaining(['CSD', 'DIV', 'FEE', 'JNLS', 'MA', 'SPIN', 'SPLIT']),
    );
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
