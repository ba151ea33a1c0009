import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountHistory } from '../../../src/sandbox/paper-broker/books/seed-accounts.ts';
import {
  admin,
  alpaca,
  logIn,
  open as openBroker,
  orders,
  position,
  refused,
  statuses,
  trading,
  world,
} from './paper-broker-desk.ts';
import { TUESDAY_NOON } from './paper-broker-world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Alice has $100,000 from Monday on, and bought or sold short before Tuesday noon. */
const story = (...trades: { side: 'buy' | 'sell'; symbol: string; qty: string; price: string }[]): AccountHistory => ({
  number: 'PA3ALICE01',
  events: [
    { date: '2026-11-20', entry: { type: 'CSD', amount: '100000' } },
    ...trades.map((trade) => ({ date: '2026-11-23', trade })),
  ],
});
const renamed = { old_symbol: 'AAPL', new_symbol: 'APPL', process_date: '2026-11-25' };
const tenApples = { side: 'buy', symbol: 'AAPL', qty: '10', price: '200.00' } as const;

let database: Database.Database;
beforeEach(() => {
  database = new Database(':memory:');
});
afterEach(async () => {
  await world.close();
  database.close();
});

const open = (...trades: Parameters<typeof story>) =>
  openBroker({ hours: 'exchange', database, story: story(...trades) });
/** Lets time pass; a token does not outlive it. */
const later = async (ms: number) => {
  await world.clock.advance(ms);
  await logIn();
};
const announce = async (lists: unknown) => expect((await admin('POST', 'corporate-actions', lists)).status).toBe(200);

const state = async () => {
  const token = await world.token();
  const get = async (path: string) =>
    (await fetch(`${world.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
  const account = (await get('/v2/account')) as { cash: string };
  type Rows = Record<string, string>[];
  const positions = (await get('/v2/positions')) as Rows;
  const rows = (await get('/v2/account/activities?category=non_trade_activity&direction=asc')) as Rows;
  return {
    cash: account.cash,
    positions: positions.map(({ symbol, qty, cost_basis }) => `${qty} ${symbol} for ${cost_basis}`),
    booked: rows
      .filter(({ activity_type }) => activity_type !== 'CSD')
      .map(({ activity_type: type, activity_sub_type: sub, date, symbol, qty, net_amount }) =>
        [type, sub, date?.slice(0, 10), symbol, qty, net_amount].filter(Boolean).join(' '),
      ),
    rows,
  };
};

describe('a cash dividend', () => {
  it('is paid in the evening of its day on the shares held before the ex-date, and told with both', async () => {
    await open(tenApples);
    await announce({
      cash_dividends: [{ symbol: 'AAPL', rate: 0.26, ex_date: '2026-11-25', payable_date: '2026-11-27' }],
    });
    // Bought on the ex-date: without the right.
    await later(DAY);
    world.market.setPrice('AAPL', '200.00');
    await orders.market({ symbol: 'AAPL', side: 'buy', qty: '5' });
    await world.clock.advance(2 * DAY);
    expect((await state()).booked).toEqual([]);
    await world.clock.advance(8.6 * HOUR);
    const { booked, rows } = await state();
    expect(booked).toEqual(['DIV CDIV 2026-11-27 AAPL 10 2.6']);
    const paid = { date: '2026-11-27T00:00:00Z', created_at: '2026-11-28T01:30:00.000Z' };
    expect(rows.at(-1)).toMatchObject({ ...paid, per_share_amount: '0.26' });
  });

  it('is owed by whoever is short', async () => {
    await open({ ...tenApples, side: 'sell' });
    await announce({
      cash_dividends: [{ symbol: 'AAPL', rate: '0.26', ex_date: '2026-11-25', payable_date: '2026-11-25' }],
    });
    await world.clock.advance(DAY + 9 * HOUR);
    expect((await state()).booked).toEqual(['DIV CDIV 2026-11-25 AAPL -10 -2.6']);
  });
});

describe('what turns shares into others', () => {
  const on = { ex_date: '2026-11-25' };
  const into = { acquiree_symbol: 'AAPL', acquirer_symbol: 'MSFT', effective_date: '2026-11-25' };
  it.each([
    [
      'a split',
      { forward_splits: [{ symbol: 'AAPL', new_rate: 3, old_rate: 1, ...on }] },
      ['30 AAPL for 2000.00'],
      ['SPLIT FSPLIT 2026-11-25 AAPL -10 0', 'SPLIT FSPLIT 2026-11-25 AAPL 30 0'],
    ],
    [
      'a reverse split',
      { reverse_splits: [{ symbol: 'AAPL', new_rate: 1, old_rate: 4, ...on }] },
      ['2.5 AAPL for 2000.00'],
      ['SPLIT RSPLIT 2026-11-25 AAPL -10 0', 'SPLIT RSPLIT 2026-11-25 AAPL 2.5 0'],
    ],
    [
      'a change of name',
      { name_changes: [renamed] },
      ['10 APPL for 2000.00'],
      ['NC SNC 2026-11-25 AAPL -10 0', 'NC SNC 2026-11-25 APPL 10 0'],
    ],
    [
      'a merger for cash',
      { cash_mergers: [{ acquiree_symbol: 'AAPL', rate: 250.5, effective_date: '2026-11-25' }] },
      [],
      ['MA CMA 2026-11-25 AAPL -10 2505'],
      '100505.00',
    ],
    [
      'a merger for shares',
      { stock_mergers: [{ ...into, acquiree_rate: 1, acquirer_rate: 0.55 }] },
      ['5.5 MSFT for 2000.00'],
      ['MA SMA 2026-11-25 AAPL -10 0', 'MA SMA 2026-11-25 MSFT 5.5 0'],
    ],
    [
      // Worth 5 × 400 + 100 = 2,100, so 100 was gained: all the cash is gain, and the cost stays 2,000.
      'a merger for shares and cash',
      { stock_and_cash_mergers: [{ ...into, acquiree_rate: 2, acquirer_rate: 1, cash_rate: 20 }] },
      ['5 MSFT for 2000.00'],
      ['MA SCMA 2026-11-25 AAPL -10 100', 'MA SCMA 2026-11-25 MSFT 5 0'],
      '98100.00',
    ],
    [
      // 10 × 210 kept and 2 × 400 made: of the cost of 2,000, 2,000 × 800 / 2,900 = 551.72 goes along.
      'a spin-off',
      { spin_offs: [{ source_symbol: 'AAPL', source_rate: 5, new_symbol: 'MSFT', new_rate: 1, ...on }] },
      ['10 AAPL for 1448.28', '2 MSFT for 551.72'],
      ['SPIN 2026-11-25 MSFT 2 0'],
    ],
  ])('%s', async (_, lists, positions, booked, cash = '98000.00') => {
    await open(tenApples);
    world.market.setPrice('MSFT', '400.00');
    world.market.setPrice('AAPL', '210.00');
    await announce(lists);
    await world.clock.advance(11.9 * HOUR);
    expect((await state()).booked).toEqual([]);
    await world.clock.advance(0.2 * HOUR);
    expect(await state()).toMatchObject({ positions, booked, cash });
  });

  it('is booked on a short with its signs turned around', async () => {
    await open({ ...tenApples, side: 'sell' });
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ...on }] });
    await world.clock.advance(DAY);
    expect(await state()).toMatchObject({
      positions: ['-20 AAPL for -2000.00'],
      booked: ['SPLIT FSPLIT 2026-11-25 AAPL 10 0', 'SPLIT FSPLIT 2026-11-25 AAPL -20 0'],
    });
  });

  it('ends the open orders in them', async () => {
    await open(tenApples);
    const order = { side: 'buy', qty: '1', limitPrice: '1.00', timeInForce: 'gtc' } as const;
    await orders.limit({ ...order, symbol: 'AAPL' });
    await orders.limit({ ...order, symbol: 'MSFT' });
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ...on }] });
    await world.clock.advance(DAY);
    await state();
    expect(statuses()).toEqual(['canceled', 'new']);
  });

  it('is booked once, over a restart too, with what it had announced', async () => {
    await open(tenApples);
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ...on }] });
    for (const day of [1, 2]) {
      await openBroker({ hours: 'exchange', database, now: TUESDAY_NOON + day * DAY });
      expect((await state()).positions).toEqual(['20 AAPL for 2000.00']);
    }
  });
});

describe('the market after an action', () => {
  const quote = async (symbol: string) => (await alpaca.marketData.stocks.stockLatestTradeSingle({ symbol })).trade.p;

  it('trades at the split price from midnight on, so that no moment sees new shares at old prices', async () => {
    await open(tenApples);
    const before = await quote('AAPL');
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 4, old_rate: 1, ex_date: '2026-11-25' }] });
    await later(11.9 * HOUR);
    const closed = await quote('AAPL');
    expect(Math.abs(closed / before - 1)).toBeLessThan(0.1);
    await later(0.2 * HOUR);
    expect(await quote('AAPL')).toBeCloseTo(closed / 4, 1);
    await later(10 * HOUR);
    const { qty, lastdayPrice, marketValue, unrealizedIntradayPl } = await position('AAPL');
    expect(qty).toBe('40');
    expect(Number(lastdayPrice)).toBeCloseTo(closed / 4, 1);
    // All forty were there at the last close, as ten.
    expect(Number(unrealizedIntradayPl)).toBeCloseTo(Number(marketValue) - 40 * Number(lastdayPrice), 2);
  });

  it('knows a new name from its day on, and the old one no more', async () => {
    await open(tenApples);
    await announce({ name_changes: [renamed] });
    const get = (symbolOrAssetId: string) => trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId });
    await refused(get('APPL'), 404);
    expect((await get('AAPL')).tradable).toBe(true);
    await later(DAY);
    await refused(get('AAPL'), 404);
    world.market.setPrice('APPL', '300.00');
    expect((await orders.market({ symbol: 'APPL', side: 'sell', qty: '10' })).status).toBe('filled');
  });

  it('tells bars raw, or adjusted for what came after them', async () => {
    await open();
    const close = async (adjustment?: string, day = '2026-11-24') => {
      const { bars } = await alpaca.marketData.stocks.stockBars({
        symbols: 'AAPL',
        timeframe: '1Day',
        start: new Date(day),
        end: new Date(`${day}T23:00:00Z`),
        ...(adjustment && { adjustment }),
      });
      return bars.AAPL?.[0];
    };
    await later(5 * HOUR);
    const before = await close();
    if (before === undefined) throw new Error('no bar');
    await announce({
      forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ex_date: '2026-11-25' }],
      cash_dividends: [{ symbol: 'AAPL', rate: 1, ex_date: '2026-11-27', payable_date: '2026-12-04' }],
    });
    expect(await close('all')).toEqual(before);
    await later(3 * DAY);
    const lastBefore = (await close(undefined, '2026-11-25'))?.c ?? 0;
    expect(await close()).toEqual(before);
    expect((await close('split'))?.c).toBeCloseTo(before.c / 2, 4);
    expect((await close('split'))?.v).toBe(before.v * 2);
    expect((await close('dividend'))?.c).toBeCloseTo(before.c * (1 - 1 / lastBefore), 4);
    expect((await close('all'))?.c).toBeCloseTo((before.c / 2) * (1 - 1 / lastBefore), 4);
    await expect(close('sideways')).rejects.toMatchObject({ status: 400 });
  });

  it('is told by the corporate-actions route', async () => {
    await open();
    await announce({
      forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ex_date: '2026-11-25' }],
      name_changes: [{ old_symbol: 'F', new_symbol: 'FORD', process_date: '2026-11-30' }],
    });
    const { corporateActions } = await alpaca.marketData.corporateActions.corporateActions({
      symbols: 'AAPL,F',
      start: new Date('2026-11-24'),
      end: new Date('2026-12-01'),
      types: 'forward_split,name_change',
    });
    expect(corporateActions.forwardSplits).toMatchObject([{ symbol: 'AAPL', newRate: 2, oldRate: 1 }]);
    expect(corporateActions.nameChanges).toMatchObject([{ oldSymbol: 'F', newSymbol: 'FORD' }]);
  });
});

describe('what an admin announces or books', () => {
  it('takes the admin secret', async () => {
    await open();
    const paths = { 'corporate-actions': 'POST', 'accounts/alice/activities': 'POST', 'history-gaps': 'PUT' };
    for (const [path, method] of Object.entries(paths))
      expect((await admin(method as 'POST' | 'PUT', path, {}, 'wrong')).status).toBe(401);
  });

  const split = { symbol: 'AAPL', new_rate: 2, old_rate: 1, ex_date: '2026-11-25' };
  const taken = { old_symbol: 'F', new_symbol: 'KO', process_date: '2026-11-25' };
  const nothing = { symbol: 'F', rate: 0, ex_date: '2026-11-25', payable_date: '2026-11-25' };
  it.each([
    ['of a day that has begun', { forward_splits: [{ ...split, ex_date: '2026-11-24' }] }, /future date/],
    ['of nobody', { forward_splits: [{ ...split, symbol: 'NOPE' }] }, /has no symbol NOPE/],
    ['for the name of another', { name_changes: [taken] }, /another company/],
    ['at a rate of nothing', { cash_dividends: [nothing] }, /greater than zero/],
    ['of a kind nobody knows', { stock_dividends: [] }, /stock_dividends/],
  ])('refuses one %s', async (_, lists, why) => {
    await open();
    const { status, body } = await admin('POST', 'corporate-actions', lists);
    expect(status).toBe(400);
    expect(body.message).toMatch(why);
  });

  it('books money and shares in the evening of their day, and what is told late at once', async () => {
    await open(tenApples);
    world.market.setPrice('AAPL', '210.00');
    for (const activity of [
      { activity_type: 'CSD', net_amount: '500' },
      { activity_type: 'FEE', activity_sub_type: 'REG', net_amount: '-0.02', date: '2026-11-23' },
      { activity_type: 'ACATS', symbol: 'AAPL', qty: '5', date: '2026-11-25' },
      { activity_type: 'JNLS', symbol: 'AAPL', qty: '-3', date: '2026-11-26' },
    ]) {
      await admin('POST', 'accounts/alice/activities', activity);
    }
    expect(await state()).toMatchObject({ cash: '97999.98', booked: ['FEE REG 2026-11-23 -0.02'] });
    await world.clock.advance(9 * HOUR);
    expect((await state()).cash).toBe('98499.98');
    await world.clock.advance(DAY);
    expect((await state()).positions).toEqual(['15 AAPL for 3050.00']);
    await world.clock.advance(DAY);
    expect((await state()).positions).toEqual(['12 AAPL for 2440.00']);
  });

  it('leaves days out of the history', async () => {
    await open(tenApples);
    const request = { period: '1M', timeframe: '1D' };
    const days = async () => {
      const { timestamp } = await trading.portfolioHistory.getAccountPortfolioHistory(request);
      return timestamp.map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10));
    };
    expect(await days()).toEqual(['2026-11-23', '2026-11-24']);
    await admin('PUT', 'history-gaps', { dates: ['2026-11-23'] });
    expect(await days()).toEqual(['2026-11-24']);
  });
});
