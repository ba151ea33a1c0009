import Database from 'better-sqlite3-multiple-ciphers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Story } from '../../../src/sandbox/paper-broker/books/seed-accounts.ts';
import { ADMIN_SECRET, startWorld, TUESDAY_NOON, type World } from './paper-broker-world.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Alice has $100,000 from Monday on, and bought or sold short before Tuesday noon. */
const story = (...trades: { side: 'buy' | 'sell'; symbol: string; qty: string; price: string }[]): Story => ({
  number: 'PA3ALICE01',
  events: [
    { date: '2026-11-20', entry: { type: 'CSD', amount: '100000' } },
    ...trades.map((trade) => ({ date: '2026-11-23', trade })),
  ],
});
const tenApples = { side: 'buy', symbol: 'AAPL', qty: '10', price: '200.00' } as const;

let world: World;
let database: Database.Database;
beforeEach(() => {
  database = new Database(':memory:');
});
afterEach(async () => {
  await world.close();
  database.close();
});

const open = async (...trades: Parameters<typeof story>) => {
  world = await startWorld({ hours: 'exchange', database, story: story(...trades) });
};
const admin = async (method: 'POST' | 'PUT', path: string, body: unknown, secret = ADMIN_SECRET) => {
  const answer = await fetch(`${world.url}/admin/${path}`, {
    method,
    body: JSON.stringify(body),
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
  });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
};
const announce = async (lists: unknown) =>
  expect(await admin('POST', 'corporate-actions', lists)).toMatchObject({ status: 200 });

const state = async () => {
  const token = await world.token();
  const get = async (path: string) =>
    (await fetch(`${world.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).json();
  const account = (await get('/v2/account')) as { cash: string };
  const positions = (await get('/v2/positions')) as {
    symbol: string;
    qty: string;
    cost_basis: string;
    side: string;
  }[];
  const rows = (await get('/v2/account/activities?category=non_trade_activity&direction=asc')) as Record<
    string,
    string
  >[];
  return {
    cash: account.cash,
    positions: positions.map(({ symbol, qty, cost_basis }) => `${qty} ${symbol} for ${cost_basis}`),
    booked: rows
      .filter(({ activity_type }) => activity_type !== 'CSD')
      .map(({ activity_type, activity_sub_type, date, symbol, qty, net_amount }) =>
        [activity_type, activity_sub_type, date?.slice(0, 10), symbol, qty, net_amount]
          .filter(Boolean)
          .join(' '),
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
    await world.clock.advance(DAY);
    world.market.setPrice('AAPL', '200.00');
    await (await world.alpaca()).trading.orders.market({ symbol: 'AAPL', side: 'buy', qty: '5' });
    await world.clock.advance(2 * DAY);
    expect((await state()).booked).toEqual([]);
    await world.clock.advance(8.6 * HOUR);
    const { booked, rows } = await state();
    expect(booked).toEqual(['DIV CDIV 2026-11-27 AAPL 10 2.6']);
    expect(rows.at(-1)).toMatchObject({
      date: '2026-11-27T00:00:00Z',
      created_at: '2026-11-28T01:30:00.000Z',
      per_share_amount: '0.26',
    });
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
  it.each([
    [
      'a split',
      { forward_splits: [{ symbol: 'AAPL', new_rate: 3, old_rate: 1, ...on }] },
      ['30 AAPL for 2000.00'],
      ['SPLIT FSPLIT 2026-11-25 AAPL -10 0', 'SPLIT FSPLIT 2026-11-25 AAPL 30 0'],
      '98000.00',
    ],
    [
      'a reverse split',
      { reverse_splits: [{ symbol: 'AAPL', new_rate: 1, old_rate: 4, ...on }] },
      ['2.5 AAPL for 2000.00'],
      ['SPLIT RSPLIT 2026-11-25 AAPL -10 0', 'SPLIT RSPLIT 2026-11-25 AAPL 2.5 0'],
      '98000.00',
    ],
    [
      'a change of name',
      { name_changes: [{ old_symbol: 'AAPL', new_symbol: 'APPL', process_date: '2026-11-25' }] },
      ['10 APPL for 2000.00'],
      ['NC SNC 2026-11-25 AAPL -10 0', 'NC SNC 2026-11-25 APPL 10 0'],
      '98000.00',
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
      {
        stock_mergers: [
          {
            acquiree_symbol: 'AAPL',
            acquiree_rate: 1,
            acquirer_symbol: 'MSFT',
            acquirer_rate: 0.55,
            effective_date: '2026-11-25',
          },
        ],
      },
      ['5.5 MSFT for 2000.00'],
      ['MA SMA 2026-11-25 AAPL -10 0', 'MA SMA 2026-11-25 MSFT 5.5 0'],
      '98000.00',
    ],
    [
      // Worth 5 × 400 + 100 = 2,100, so 100 was gained: all the cash is gain, and the cost stays 2,000.
      'a merger for shares and cash',
      {
        stock_and_cash_mergers: [
          {
            acquiree_symbol: 'AAPL',
            acquiree_rate: 2,
            acquirer_symbol: 'MSFT',
            acquirer_rate: 1,
            cash_rate: 20,
            effective_date: '2026-11-25',
          },
        ],
      },
      ['5 MSFT for 2000.00'],
      ['MA SCMA 2026-11-25 AAPL -10 100', 'MA SCMA 2026-11-25 MSFT 5 0'],
      '98100.00',
    ],
    [
      // 10 × 210 kept and 2 × 400 made: of the cost of 2,000, 2,000 × 800 / 2,900 = 551.72 goes along.
      'a spin-off',
      {
        spin_offs: [{ source_symbol: 'AAPL', source_rate: 5, new_symbol: 'MSFT', new_rate: 1, ...on }],
      },
      ['10 AAPL for 1448.28', '2 MSFT for 551.72'],
      ['SPIN 2026-11-25 MSFT 2 0'],
      '98000.00',
    ],
  ])('%s', async (_, lists, positions, booked, cash) => {
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
    const { trading } = await world.alpaca();
    const order = { side: 'buy', qty: '1', limitPrice: '1.00', timeInForce: 'gtc' } as const;
    await trading.orders.limit({ ...order, symbol: 'AAPL' });
    await trading.orders.limit({ ...order, symbol: 'MSFT' });
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ...on }] });
    await world.clock.advance(DAY);
    await state();
    expect(world.broker.book().map(({ symbol, status }) => `${symbol} ${status}`)).toEqual([
      'AAPL canceled',
      'MSFT new',
    ]);
  });

  it('is booked once, over a restart too, with what it had announced', async () => {
    await open(tenApples);
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ...on }] });
    await world.close();
    for (const later of [DAY, 2 * DAY]) {
      world = await startWorld({ hours: 'exchange', database, now: TUESDAY_NOON + later });
      expect((await state()).positions).toEqual(['20 AAPL for 2000.00']);
      await world.close();
    }
    world = await startWorld({ hours: 'exchange', database, now: TUESDAY_NOON + 3 * DAY });
  });
});

describe('the market after an action', () => {
  const quote = async (symbol: string) =>
    (await (await world.alpaca()).marketData.stocks.stockLatestTradeSingle({ symbol })).trade.p;

  it('trades at the split price from midnight on, so that no moment sees new shares at old prices', async () => {
    await open(tenApples);
    const before = await quote('AAPL');
    await announce({ forward_splits: [{ symbol: 'AAPL', new_rate: 4, old_rate: 1, ex_date: '2026-11-25' }] });
    await world.clock.advance(11.9 * HOUR);
    const closed = await quote('AAPL');
    expect(Math.abs(closed / before - 1)).toBeLessThan(0.1);
    await world.clock.advance(0.2 * HOUR);
    expect(await quote('AAPL')).toBeCloseTo(closed / 4, 1);
    await world.clock.advance(10 * HOUR);
    const { trading } = await world.alpaca();
    const position = await trading.positions.getOpenPosition({ symbolOrAssetId: 'AAPL' });
    expect(position.qty).toBe('40');
    expect(Number(position.lastdayPrice)).toBeCloseTo(closed / 4, 1);
    // All forty were there at the last close, as ten.
    const gained = Number(position.marketValue) - 40 * Number(position.lastdayPrice);
    expect(Number(position.unrealizedIntradayPl)).toBeCloseTo(gained, 2);
  });

  it('knows a new name from its day on, and the old one no more', async () => {
    await open(tenApples);
    await announce({
      name_changes: [{ old_symbol: 'AAPL', new_symbol: 'APPL', process_date: '2026-11-25' }],
    });
    const tradable = async (symbolOrAssetId: string) =>
      (await world.alpaca()).trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId }).then(
        () => true,
        () => false,
      );
    expect([await tradable('AAPL'), await tradable('APPL')]).toEqual([true, false]);
    await world.clock.advance(DAY);
    expect([await tradable('AAPL'), await tradable('APPL')]).toEqual([false, true]);
    world.market.setPrice('APPL', '300.00');
    const { trading } = await world.alpaca();
    const sold = await trading.orders.market({ symbol: 'APPL', side: 'sell', qty: '10' });
    expect(sold.status).toBe('filled');
  });

  it('tells bars raw, or adjusted for what came after them', async () => {
    await open();
    const stocks = async () => (await world.alpaca()).marketData.stocks;
    const close = async (adjustment?: string) => {
      const asked = {
        symbols: 'AAPL',
        timeframe: '1Day',
        start: new Date('2026-11-24'),
        end: new Date('2026-11-24T23:00:00Z'),
      };
      const { bars } = await (await stocks()).stockBars(
        adjustment === undefined ? asked : { ...asked, adjustment },
      );
      return bars.AAPL?.[0];
    };
    await world.clock.advance(5 * HOUR);
    const before = await close();
    if (before === undefined) throw new Error('no bar');
    await announce({
      forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ex_date: '2026-11-25' }],
      cash_dividends: [{ symbol: 'AAPL', rate: 1, ex_date: '2026-11-27', payable_date: '2026-12-04' }],
    });
    expect(await close('all')).toEqual(before);
    await world.clock.advance(3 * DAY);
    const { bars } = await (await stocks()).stockBars({
      symbols: 'AAPL',
      timeframe: '1Day',
      start: new Date('2026-11-25'),
      end: new Date('2026-11-25T23:00:00Z'),
    });
    const lastBefore = bars.AAPL?.[0]?.c ?? 0;
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
    const { corporateActions } = await (await world.alpaca()).marketData.corporateActions.corporateActions({
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
    for (const [method, path] of [
      ['POST', 'corporate-actions'],
      ['POST', 'accounts/alice/activities'],
      ['PUT', 'history-gaps'],
    ] as const) {
      expect((await admin(method, path, {}, 'wrong')).status).toBe(401);
    }
  });

  it.each([
    [
      'of a day that has begun',
      { forward_splits: [{ symbol: 'AAPL', new_rate: 2, old_rate: 1, ex_date: '2026-11-24' }] },
      /day to come/,
    ],
    [
      'of nobody',
      { forward_splits: [{ symbol: 'NOPE', new_rate: 2, old_rate: 1, ex_date: '2026-11-25' }] },
      /no NOPE/,
    ],
    [
      'for the name of another',
      { name_changes: [{ old_symbol: 'F', new_symbol: 'KO', process_date: '2026-11-25' }] },
      /another company/,
    ],
    [
      'at a rate of nothing',
      { cash_dividends: [{ symbol: 'F', rate: 0, ex_date: '2026-11-25', payable_date: '2026-11-25' }] },
      /greater than zero/,
    ],
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
    await admin('POST', 'accounts/alice/activities', { activity_type: 'CSD', net_amount: '500' });
    await admin('POST', 'accounts/alice/activities', {
      activity_type: 'FEE',
      activity_sub_type: 'REG',
      net_amount: '-0.02',
      date: '2026-11-23',
    });
    await admin('POST', 'accounts/alice/activities', {
      activity_type: 'ACATS',
      symbol: 'AAPL',
      qty: '5',
      date: '2026-11-25',
    });
    await admin('POST', 'accounts/alice/activities', {
      activity_type: 'JNLS',
      symbol: 'AAPL',
      qty: '-3',
      date: '2026-11-26',
    });
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
    const days = async () => {
      const { trading } = await world.alpaca();
      const { timestamp } = await trading.portfolioHistory.getAccountPortfolioHistory({
        period: '1M',
        timeframe: '1D',
      });
      return timestamp.map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 10));
    };
    expect(await days()).toEqual(['2026-11-23', '2026-11-24']);
    await admin('PUT', 'history-gaps', { dates: ['2026-11-23'] });
    expect(await days()).toEqual(['2026-11-24']);
  });
});
