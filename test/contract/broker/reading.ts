import { expect, it } from 'vitest';
import { z } from 'zod';
import type { BrokerTraits, OptionalFeature } from '../../../src/gateway/broker/broker-traits.ts';
import { activitySchema, tradingDaySchema } from '../../../src/trading/activity.ts';
import { articleSchema, corporateActionSchema, watchlistSchema } from '../../../src/trading/market-news.ts';
import { newYorkDate } from '../../../src/trading/new-york-time.ts';
import {
  accountSchema,
  assetSchema,
  barSchema,
  clockSchema,
  orderSchema,
  positionSchema,
  quoteSchema,
} from '../../../src/trading/views.ts';
import { type Bench, exactly } from './bench.ts';
import type { Mishap } from './wire.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

export function readingCases(bench: () => Bench, { lacks, orders, dayFlows }: BrokerTraits): void {
  const has = (what: OptionalFeature) => it.runIf(!lacks.includes(what));

  it('of the account tells where it is, and what is in it', async () => {
    expect(exactly(accountSchema, await bench().broker.account())).toMatchObject({
      environment: 'paper',
      trading_blocked: false,
    });
  });

  it.runIf(dayFlows === 'reported')('of the account tells the day of the last close', async () => {
    const { broker } = bench();
    const { timestamp } = await broker.clock();
    const { last_equity_on: day = '' } = await broker.account();
    expect(day).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(day < newYorkDate(Date.parse(timestamp))).toBe(true);
  });

  it.runIf(dayFlows === 'reported')('of the activities leaves fills out where it is asked to', async () => {
    const query = { after: undefined, page: undefined };
    const { activities } = await bench().broker.activities({ ...query, withoutFills: true });
    expect(activities.filter(({ kind }) => kind === 'fill')).toEqual([]);
  });

  it('of the positions tells the one that is held', async () => {
    const { broker, fixture } = bench();
    const positions = exactly(z.array(positionSchema), await broker.positions());
    expect(positions).toContainEqual(expect.objectContaining({ symbol: fixture.symbol, side: 'long' }));
  });

  it('of an asset tells what may be done with it; of what isn’t there nothing', async () => {
    const { broker, fixture } = bench();
    expect(exactly(assetSchema, await broker.asset(fixture.symbol))).toMatchObject({
      symbol: fixture.symbol,
      name: expect.stringMatching(/\w/),
      exchange: expect.stringMatching(/^[A-Z]+$/),
      tradable: true,
      fractionable: (orders.us_equity?.fractions.types.length ?? 0) > 0,
    });
    expect(await broker.asset(fixture.unknownSymbol)).toBeUndefined();
  });

  it('of quotes tells prices, and how old they are', async () => {
    const { broker, fixture } = bench();
    const [quote, ...others] = exactly(z.array(quoteSchema), await broker.quotes([fixture.symbol]));
    expect(others).toEqual([]);
    expect(quote).toMatchObject({ symbol: fixture.symbol, at: expect.stringMatching(/^\d{4}-.*Z$/) });
    expect(Number(quote?.last)).toBeGreaterThan(0);
  });

  has('bars').each(['1Day', '1Hour', '1Min'] as const)(
    'of bars of %s tells the newest, the oldest first',
    async (timeframe) => {
      const { broker, fixture } = bench();
      const end = new Date(Date.parse((await broker.clock()).timestamp));
      const start = new Date(end.getTime() - 60 * DAY_MS);
      const read = async (limit: number) =>
        exactly(z.array(barSchema), await broker.bars({ symbol: fixture.symbol, timeframe, start, end, limit }));
      const bars = await read(20);
      expect(bars).toHaveLength(20);
      expect(bars.map(({ at }) => at)).toEqual(bars.map(({ at }) => at).sort());
      expect((await read(5)).map(({ at }) => at)).toEqual(bars.slice(-5).map(({ at }) => at));
    },
  );

  has('bars').each(['raw', 'all'] as const)(
    'of bars adjusted by %s tells them, or says that there are none: never others',
    async (adjustment) => {
      const { broker, fixture } = bench();
      const end = new Date(Date.parse((await broker.clock()).timestamp));
      const start = new Date(end.getTime() - 10 * DAY_MS);
      const query = { symbol: fixture.symbol, timeframe: '1Day', start, end, limit: 3, adjustment } as const;
      const told = await broker.bars(query).catch((error: unknown) => error);
      if (Array.isArray(told)) expect(told).toHaveLength(3);
      else expect(told).toMatchObject({ status: 501, code: 'broker_lacks' });
    },
  );

  it('of the clock tells when it opens and closes', async () => {
    const clock = exactly(clockSchema, await bench().broker.clock());
    expect(clock.is_open).toBe(true);
    for (const next of [clock.next_open, clock.next_close]) {
      expect(Date.parse(next)).toBeGreaterThan(Date.parse(clock.timestamp));
    }
  });

  it('of the calendar tells the trading days of a stretch, both ends included', async () => {
    const { broker } = bench();
    const week = { start: '2026-11-23', end: '2026-11-27' };
    const days = exactly(z.array(tradingDaySchema), await broker.calendar(week));
    // Thanksgiving is the Thursday; the day after closes early. A market that never closes has all five.
    const dates = days.map(({ date }) => date);
    expect(dates).toEqual([...dates].sort());
    expect(dates).toEqual(expect.arrayContaining(['2026-11-23', '2026-11-24', '2026-11-25', '2026-11-27']));
    expect(dates.every((date) => date >= '2026-11-23' && date <= '2026-11-27')).toBe(true);
  });

  has('activities')('of the activities tells a fill, the newest first', async () => {
    const { broker, filled, fixture } = bench();
    await filled();
    const { activities, next_page } = await broker.activities({ after: undefined, page: undefined });
    // What goes through the gateway's routes as a page.
    if (next_page !== null) expect(next_page).toMatch(/^[A-Za-z0-9:_.-]{1,128}$/);
    const read = exactly(z.array(activitySchema), activities);
    expect(read[0]).toMatchObject({ kind: 'fill', symbol: fixture.symbol, side: 'buy', qty: '1' });
    const times = read.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  has('portfolioHistory')('of the portfolio’s history tells what it was worth', async () => {
    const history = await bench().broker.portfolioHistory({ period: '1M', timeframe: undefined });
    expect(history.points.length).toBeGreaterThan(1);
    const { flow, ...point } = history.points[0] ?? {};
    expect(point).toEqual({
      at: expect.stringMatching(/^\d{4}-.*Z$/),
      equity: expect.stringMatching(/^\d+\.\d\d$/),
      profit_loss: expect.any(String),
      profit_loss_pct: expect.any(String),
    });
    // Of all windows or of none, where the broker tells the cash flows itself.
    const told = history.points.filter((one) => one.flow !== undefined);
    expect([0, history.points.length]).toContain(told.length);
    if (flow !== undefined) expect(flow).toMatch(/^-?\d+(\.\d+)?$/);
  });

  has('news')('of the news tells the newest first, cut to a line each, and no more than was asked for', async () => {
    const { broker, fixture } = bench();
    const read = async (symbols: string[], limit: number) =>
      exactly(z.array(articleSchema), await broker.news({ symbols, limit }));
    const news = await read([fixture.symbol], 5);
    expect(news.length).toBeGreaterThan(0);
    const times = news.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => b - a));
    for (const { symbols, headline, summary } of news) {
      expect(symbols).toContain(fixture.symbol);
      expect(headline).toMatch(/^[^\n]{1,200}$/);
      expect(summary.length).toBeLessThanOrEqual(500);
    }
    expect(await read([fixture.symbol], 1)).toEqual(news.slice(0, 1));
    expect((await read([], 3)).length).toBe(3);
  });

  has('corporateActions')('of corporate actions tells those of a stretch, and whether there are more', async () => {
    const { broker, fixture } = bench();
    const stretch = { symbols: [fixture.symbol], start: '2026-01-01', end: '2026-12-31' };
    const { actions, more } = await broker.corporateActions({ ...stretch, limit: 100 });
    const read = exactly(z.array(corporateActionSchema), actions);
    expect(more).toBe(false);
    for (const { symbol, process_date } of read) {
      expect(symbol).toBe(fixture.symbol);
      expect(process_date >= stretch.start && process_date <= stretch.end).toBe(true);
    }
    if (read.length < 2) return;
    const one = await broker.corporateActions({ ...stretch, limit: 1 });
    expect(one).toEqual({ actions: read.slice(0, 1), more: true });
  });

  has('watchlist')('of the watchlist tells what was put on it, in that order', async () => {
    const { broker, fixture, wire } = bench();
    const before = exactly(watchlistSchema, await broker.watchlist());
    const other = (await broker.positions()).find(({ symbol }) => symbol !== fixture.symbol)?.symbol;
    const wanted = [fixture.symbol, ...(other === undefined ? [] : [other])];
    wire.writes();
    expect((await broker.setWatchlist(wanted)).symbols).toEqual(wanted);
    expect(wire.writes()).toBe(1);
    const after = exactly(watchlistSchema, await broker.watchlist());
    expect(after.symbols).toEqual(wanted);
    // Null where the broker doesn't tell when.
    if (after.updated_at !== null) expect(after.updated_at).toMatch(/^\d{4}-.*Z$/);
    expect((await broker.setWatchlist([...wanted].reverse())).symbols).toEqual([...wanted].reverse());
    expect(await broker.setWatchlist(before.symbols)).toMatchObject({ symbols: before.symbols });
  });

  it.each(lacks)('of %s is refused, without a request: the broker has none', async (what) => {
    const { broker, fixture, wire } = bench();
    const now = new Date();
    const day = '2026-11-23';
    const asked: Record<OptionalFeature, () => Promise<unknown>> = {
      bars: () => broker.bars({ symbol: fixture.symbol, timeframe: '1Day', start: now, end: now, limit: 1 }),
      activities: () => broker.activities({ after: undefined, page: undefined }),
      portfolioHistory: () => broker.portfolioHistory({ period: '1M', timeframe: undefined }),
      news: () => broker.news({ symbols: [], limit: 1 }),
      corporateActions: () => broker.corporateActions({ symbols: [], start: day, end: day, limit: 1 }),
      watchlist: () => broker.setWatchlist([fixture.symbol]),
      assets: () => broker.assets(),
    };
    wire.requests();
    await expect(asked[what]()).rejects.toMatchObject({ status: 501, code: 'broker_lacks' });
    expect(wire.requests()).toBe(0);
  });

  it('of orders tells all of it', async () => {
    const { broker, resting } = bench();
    const { id } = await resting();
    const all = await broker.orders({ status: 'all', limit: 50, symbols: [] });
    const orders = exactly(z.array(orderSchema), all);
    expect(orders).toEqual([expect.objectContaining({ id })]);
  });

  it('of orders up to an instant tells those of that instant, and none submitted later', async () => {
    const { broker, resting } = bench();
    const { id } = await resting();
    const query = { status: 'all', limit: 50, symbols: [] } as const;
    const [order] = await broker.orders(query);
    const at = Date.parse(order?.submitted_at ?? '');
    expect(await broker.orders({ ...query, until: new Date(at) })).toEqual([expect.objectContaining({ id })]);
    expect(await broker.orders({ ...query, until: new Date(at - 1) })).toEqual([]);
  });
}

const nothing = { status: 200, body: '{}', type: 'application/json' };

export function failingReadCases(bench: () => Bench): void {
  it.each<[string, Mishap, number, string]>([
    ['no connection', 'lost request', 502, 'broker_unavailable'],
    ['an internal error', { status: 500 }, 502, 'broker_unavailable'],
    ['too many requests', { status: 429 }, 503, 'broker_busy'],
    ['a token that counts no longer', { status: 401 }, 409, 'account_not_connected'],
    ['an answer of nothing', nothing, 502, 'broker_invalid_response'],
  ])('that meets %s is refused', async (_, mishap, status, code) => {
    const { broker, wire, unauthorized } = bench();
    wire.mishap = mishap;
    wire.requests();
    await expect(broker.account()).rejects.toMatchObject({ name: 'HttpProblem', status, code });
    expect(wire.requests()).toBe(1);
    expect(unauthorized()).toBe(code === 'account_not_connected' ? 1 : 0);
  });

  it('that gets no answer in time is refused', async () => {
    const { connect, wire } = bench();
    wire.mishap = 'no answer in time';
    await expect(connect(50).account()).rejects.toMatchObject({ status: 504, code: 'broker_timeout' });
  });
}
