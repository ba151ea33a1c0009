import { trading } from '@alpacahq/alpaca-trade-api/rest';
import { describe, expect, it } from 'vitest';
import { kindOfType } from '../../../../src/gateway/broker/alpaca/activity-types.ts';
import { connectAlpaca } from '../../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { atDayEnds, mergedFlows } from '../../../../src/trading/portfolio/returns.ts';

/** Alpaca's own answers, as far as a test gives them; tells what was asked for. */
function alpaca(answers: Readonly<Record<string, unknown>>) {
  const asked: URL[] = [];
  const broker = connectAlpaca({
    environment: 'paper',
    tradingUrl: 'https://paper-api.alpaca.markets',
    dataUrl: 'https://data.alpaca.markets',
    simulated: false,
    timeoutMs: 1000,
    assets: { find: async () => undefined, all: async () => [] },
    fetch: async (input) => {
      const url = new URL(String(input));
      asked.push(url);
      return Response.json(answers[url.pathname] ?? []);
    },
  })({ accessToken: 'token' }, () => undefined);
  return { asked, broker };
}

const day = (date: string) => Date.parse(`${date}T04:00:00Z`) / 1000;

describe('the history of a portfolio at Alpaca', () => {
  // The contract's own example (PortfolioHistory, "example-cashflows"): deposits are those of each window.
  const example = {
    timestamp: ['2026-04-08', '2026-04-09', '2026-04-10', '2026-04-11'].map(day),
    equity: [8425.21, 8639.77, 8766.1, 8835.31],
    profit_loss: [12.17, 214.56, 126.33, 69.21],
    profit_loss_pct: [0.0014, 0.0255, 0.0146, 0.0079],
    base_value: 8413.04,
    timeframe: '1D',
    cashflow: { CSD: [9.93, 10.13, 10.16, 0], DIV: [0, 0, 0.63, 0] },
  };
  const read = async (history: unknown) => {
    const { asked, broker } = alpaca({ '/v2/account/portfolio/history': history });
    const answer = await broker.portfolioHistory({ period: '1M', timeframe: '1D' });
    return { asked, points: answer.points };
  };

  it('is asked for with the flows that move cash, and tells them window by window', async () => {
    const { asked, points } = await read(example);
    expect(asked[0]?.searchParams.get('cashflow_types')?.split(',')).toEqual([
      'CSD',
      'CSW',
      'CSR',
      'JNLC',
      'ACATC',
    ]);
    // A dividend is none.
    expect(points.map(({ flow }) => flow)).toEqual(['9.93', '10.13', '10.16', '0.00']);
  });

  it('lacks a day that lacks its equity: it was not $0.00, and what flowed in it counts for the next', async () => {
    const { points } = await read({ ...example, equity: [8425.21, null, 8766.1, 8835.31] });
    expect(points.map(({ equity, flow }) => [equity, flow])).toEqual([
      ['8425.21', '9.93'],
      ['8766.10', '20.29'],
      ['8835.31', '0.00'],
    ]);
  });

  it('says nothing of flows where Alpaca says nothing of them', async () => {
    const { cashflow: _, ...without } = example;
    expect((await read(without)).points.map((point) => 'flow' in point)).toEqual(Array(4).fill(false));
  });

  it('stands in for the activities of its days, and these for those after it', async () => {
    const { points } = await read(example);
    const values = atDayEnds(points);
    const at = (date: string) => Date.parse(`${date}T04:00:00Z`);
    const activities = ['2026-04-09', '2026-04-12'].map((date) => ({ at: at(date), amount: values.length }));
    const merged = mergedFlows(values, activities as never, at('2026-04-13'));
    expect(merged.map(({ amount }) => Number(amount))).toEqual([9.93, 10.13, 10.16, 4]);
  });
});

describe('prices of the past at Alpaca', () => {
  const start = new Date('2026-01-01');
  const query = { symbol: 'NVDA', timeframe: '1Day', start, end: start, limit: 9 } as const;

  it.each([
    [undefined, 'split'],
    ['all', 'all'],
    ['raw', 'raw'],
  ] as const)('asked for by %s are adjusted by %s', async (adjustment, said) => {
    const { asked, broker } = alpaca({ '/v2/stocks/bars': { bars: {}, next_page_token: null } });
    await broker.bars({ ...query, adjustment });
    expect(asked[0]?.searchParams.get('adjustment')).toBe(said);
  });
});

describe('the close before, at Alpaca', () => {
  // NVIDIA's split of ten for one, on 10 June 2024.
  const bar = (c: number) => ({ t: '2024-06-07T04:00:00Z', o: c, h: c, l: c, c, v: 1, n: 1, vw: c });
  const snapshot = (last: number, close: number) => ({
    latestTrade: { t: '2024-06-10T19:59:59Z', x: 'V', p: last, s: 1, c: [], i: 1, z: 'C' },
    prevDailyBar: bar(close),
  });

  it('on the day of a split is that of today’s shares; where nothing moved much nothing more is asked', async () => {
    const { asked, broker } = alpaca({
      '/v2/stocks/snapshots': { NVDA: snapshot(121.79, 1208.88), KO: snapshot(63.5, 63.2) },
      '/v2/stocks/bars': { bars: { NVDA: [bar(120.888)] }, next_page_token: null },
    });
    const quotes = await broker.quotes(['NVDA', 'KO']);
    expect(quotes.map(({ symbol, previous_close }) => [symbol, previous_close])).toEqual([
      ['NVDA', '120.89'],
      ['KO', '63.20'],
    ]);
    const bars = asked.filter(({ pathname }) => pathname === '/v2/stocks/bars');
    expect(
      bars.map(({ searchParams }) => [searchParams.get('symbols'), searchParams.get('adjustment')]),
    ).toEqual([['NVDA', 'split']]);
  });
});

describe('Alpaca’s activity types', () => {
  /** What stands for groups of others, and is never on a row itself. */
  const groups = ['MISC'];

  it('of its published contract are all known', () => {
    const contract = Object.values(trading.ActivityType);
    expect(contract.length).toBeGreaterThan(30);
    expect(contract.filter((type) => kindOfType[type] === undefined && !groups.includes(type))).toEqual([]);
  });

  // "Account activity types now match what the API returns and accepts", Alpaca's changelog of 6 November 2026.
  it.each([
    ['DIVWH', 'fee'],
    ['CSR', 'deposit'],
    ['SC', 'other'],
    ['SSP', 'other'],
    ['SSO', 'other'],
    ['CORR', undefined],
  ])('beyond it: %s is %s', (type, kind) => {
    expect(kindOfType[type]).toBe(kind);
  });
});
