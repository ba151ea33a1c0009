import { trading } from '@alpacahq/alpaca-trade-api/rest';
import { describe, expect, it } from 'vitest';
import { activityKindByType } from '../../../../src/gateway/broker/alpaca/activity-types.ts';
import { createAlpacaConnector } from '../../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAssetCatalog } from '../../../../src/gateway/broker/asset-catalog.ts';
import { mergeFlows, toDayEndEquity } from '../../../../src/trading/portfolio/returns.ts';
import { accountSchema, positionSchema, quoteSchema } from '../../../../src/trading/views.ts';

/*
 * Answers of Alpaca's published contracts (Trading API 2.0.1, Market Data API 1.1), and what the adapter makes of them by
 * Alpaca's own SDK.
 */

/** An Alpaca that has these answers by path, and what it was asked. */
function alpaca(answers: Readonly<Record<string, unknown>>) {
  const asked: URL[] = [];
  const broker = createAlpacaConnector({
    environment: 'paper',
    tradingUrl: 'https://paper-api.alpaca.markets',
    dataUrl: 'https://data.alpaca.markets',
    simulated: false,
    timeoutMs: 1000,
    assets: createAssetCatalog(Date.now),
    fetch: async (input) => {
      const url = new URL(input instanceof Request ? input.url : String(input));
      asked.push(url);
      const answer = answers[url.pathname];
      return answer === undefined
        ? Response.json({ code: 40410000, message: 'not found' }, { status: 404 })
        : Response.json(answer);
    },
  })({ accessToken: 'token' }, () => undefined);
  return { asked, broker };
}

const CALL = 'AAPL250620C00100000';
const contract = {
  symbol: CALL,
  name: 'AAPL Jun 20 2025 100 Call',
  status: 'active',
  tradable: true,
  expiration_date: '2025-06-20',
  underlying_symbol: 'AAPL',
  type: 'call',
  style: 'american',
  strike_price: '100',
  multiplier: '100',
  open_interest: '237',
  close_price: '148.38',
};
const bitcoin = {
  class: 'crypto',
  exchange: 'CRYPTO',
  symbol: 'BTC/USD',
  name: 'Bitcoin / US Dollar',
  status: 'active',
  tradable: true,
  fractionable: true,
};
const held = {
  avg_entry_price: '59000',
  change_today: '0.01',
  cost_basis: '29500',
  current_price: '60000',
  lastday_price: '59400',
  market_value: '30000',
  qty: '0.5',
  qty_available: '0.5',
  side: 'long',
  unrealized_pl: '500',
  unrealized_plpc: '0.016949152542',
};

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
    expect(asked[0]?.searchParams.get('cashflow_types')).toBe('CSD,CSW,CSR,JNLC,ACATC');
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
    const values = toDayEndEquity(points);
    const at = (date: string) => Date.parse(`${date}T04:00:00Z`);
    const activities = ['2026-04-09', '2026-04-12'].map((date) => ({ at: at(date), amount: values.length }));
    const merged = mergeFlows(values, activities as never, at('2026-04-13'));
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
    expect(bars.map(({ searchParams }) => searchParams.get('symbols'))).toEqual(['NVDA']);
    expect(bars[0]?.searchParams.get('adjustment')).toBe('split');
  });
});

describe('Alpaca’s activity types', () => {
  /** What stands for groups of others, and is never on a row itself. */
  const groups = ['MISC'];

  it('of its published contract are all known', () => {
    const contract = Object.values(trading.ActivityType);
    expect(contract.length).toBeGreaterThan(30);
    expect(contract.filter((type) => activityKindByType[type] === undefined && !groups.includes(type))).toEqual([]);
  });

  // "Account activity types now match what the API returns and accepts", Alpaca's changelog of 6 November 2026.
  it.each([
    ['DIVWH', 'fee'],
    ['CSR', 'deposit'],
    ['SC', 'other'],
    ['SSP', 'other'],
    ['SSO', 'other'],
    ['VOF', 'other'],
    ['WH', 'fee'],
    ['CORR', undefined],
  ])('beyond it: %s is %s', (type, kind) => {
    expect(activityKindByType[type]).toBe(kind);
  });
});

describe('a quote', () => {
  const snapshot = (bp: number, ap: number, p: number) => ({
    latestQuote: { ap, bp, t: '2024-04-22T19:59:59.992734208Z' },
    latestTrade: { p, t: '2024-04-22T19:57:32.589554432Z' },
  });

  it('of each class comes from where Alpaca has it, in the order asked', async () => {
    const { broker, asked } = alpaca({
      '/v2/assets/AAPL': { ...bitcoin, class: 'us_equity', symbol: 'AAPL', exchange: 'NASDAQ' },
      '/v2/assets/BTC%2FUSD': bitcoin,
      [`/v2/options/contracts/${CALL}`]: contract,
      '/v2/stocks/snapshots': { AAPL: snapshot(165.83, 165.85, 165.84) },
      '/v1beta3/crypto/us/snapshots': {
        snapshots: {
          'BTC/USD': {
            ...snapshot(31741, 31742, 31744),
            prevDailyBar: { c: 31649, t: '2022-05-30T05:00:00Z' },
          },
        },
      },
      '/v1beta1/options/snapshots': { snapshots: { [CALL]: snapshot(4.15, 4.3, 4.1) } },
    });
    const quotes = await broker.quotes([CALL, 'BTC/USD', 'AAPL']);
    expect(quotes.map((quote) => quoteSchema.parse(quote))).toMatchObject([
      { symbol: CALL, name: 'AAPL Jun 20 2025 100 Call', bid: '4.15', ask: '4.30', last: '4.10' },
      { symbol: 'BTC/USD', bid: '31741.00', last: '31744.00', previous_close: '31649.00' },
      { symbol: 'AAPL', bid: '165.83', ask: '165.85' },
    ]);
    expect(asked.filter(({ pathname }) => pathname.endsWith('snapshots'))).toHaveLength(3);
  });

  it('of a coin that costs less than a share’s tick keeps its price', async () => {
    const { broker } = alpaca({
      '/v1beta3/crypto/us/snapshots': {
        snapshots: { 'SHIB/USD': snapshot(0.00001233, 0.00001235, 0.00001234) },
      },
    });
    expect(await broker.quotes(['SHIB/USD'])).toMatchObject([
      { bid: '0.00001233', ask: '0.00001235', last: '0.00001234' },
    ]);
  });

  it('of a contract that never traded is none', async () => {
    const { broker } = alpaca({ '/v1beta1/options/snapshots': { snapshots: { [CALL]: {} } } });
    expect(await broker.quotes([CALL])).toEqual([]);
  });

  it('of more contracts than one request may have comes in several', async () => {
    const { broker, asked } = alpaca({ '/v1beta1/options/snapshots': { snapshots: {} } });
    const symbols = Array.from({ length: 101 }, (_, at) => `AAPL250620C${at + 10_000}000`);
    await broker.quotes(symbols);
    const lists = asked
      .filter(({ pathname }) => pathname === '/v1beta1/options/snapshots')
      .map(({ searchParams }) => searchParams.get('symbols')?.split(','));
    expect(lists.map((list) => list?.length)).toEqual([100, 1]);
    expect(lists.flat()).toEqual(symbols);
  });
});

describe('bars', () => {
  const query = { timeframe: '1Day', start: new Date(0), end: new Date(1), limit: 5 } as const;

  it('of a pair are asked for by the newest, and told by the oldest', async () => {
    const bar = { c: 29003, h: 29003, l: 28999, o: 28999, v: 0.01 };
    const { broker, asked } = alpaca({
      '/v1beta3/crypto/us/bars': {
        bars: { 'BTC/USD': ['2022-05-27T10:18:00Z', '2022-05-26T10:18:00Z'].map((t) => ({ ...bar, t })) },
      },
    });
    expect(await broker.bars({ symbol: 'BTC/USD', ...query })).toMatchObject([
      { at: '2022-05-26T10:18:00.000Z', close: '29003.00', volume: '0.01' },
      { at: '2022-05-27T10:18:00.000Z' },
    ]);
    expect(asked[0]?.searchParams.get('sort')).toBe('desc');
    expect(asked[0]?.searchParams.get('symbols')).toBe('BTC/USD');
  });

  it('of a contract come from the options’ data', async () => {
    const symbol = 'AAPL240419P00140000';
    const { broker } = alpaca({
      '/v1beta1/options/bars': {
        bars: { [symbol]: [{ c: 0.34, h: 0.38, l: 0.34, o: 0.38, t: '2024-01-18T05:00:00Z', v: 12 }] },
      },
    });
    expect(await broker.bars({ symbol, ...query })).toMatchObject([{ close: '0.34', volume: '12' }]);
  });
});

describe('what can be traded', () => {
  it('is looked up by name among shares and pairs', async () => {
    const { broker, asked } = alpaca({
      '/v2/assets': [bitcoin, { ...bitcoin, symbol: 'OLD/USD', tradable: false }],
    });
    const symbols = (await broker.assets()).map(({ symbol }) => symbol);
    expect([...new Set(symbols)]).toEqual(['BTC/USD']);
    const classes = asked.map(({ searchParams }) => searchParams.get('asset_class'));
    expect(classes.sort()).toEqual(['crypto', 'us_equity']);
  });

  it.each([
    ['active', true],
    ['inactive', false],
  ])('of a contract that is %s is whether it can be traded, in whole contracts', async (status, tradable) => {
    const { broker } = alpaca({ [`/v2/options/contracts/${CALL}`]: { ...contract, status } });
    const { name } = contract;
    const traits = { exchange: '', fractionable: false, shortable: false };
    expect(await broker.asset(CALL)).toEqual({ symbol: CALL, name, tradable, ...traits });
    expect(await broker.asset('AAPL250620C00105000')).toBeUndefined();
  });

  const query = { underlying: 'AAPL', expires: { from: '2025-06-01', to: '2025-06-30' }, limit: 1 };

  it('on a share is listed by expiry, right and strike', async () => {
    const { broker, asked } = alpaca({
      '/v2/options/contracts': { option_contracts: [contract], next_page_token: 'MTAwMA==' },
    });
    const strike = { from: '97.5', to: '100' };
    const found = await broker.optionContracts?.({ ...query, right: 'call', strike });
    expect(found).toEqual({
      contracts: [
        {
          symbol: CALL,
          underlying: 'AAPL',
          expiry: '2025-06-20',
          right: 'call',
          strike: '100',
          style: 'american',
          multiplier: '100',
          tradable: true,
          open_interest: '237',
          close_price: '148.38',
        },
      ],
      more: true,
    });
    expect(Object.fromEntries(asked[0]?.searchParams ?? [])).toEqual({
      underlying_symbols: 'AAPL',
      status: 'active',
      expiration_date_gte: '2025-06-01',
      expiration_date_lte: '2025-06-30',
      type: 'call',
      strike_price_gte: '97.5',
      strike_price_lte: '100',
      limit: '1',
    });
  });

  it('without open interest or a close says so, and invents none', async () => {
    const { open_interest: _, close_price: __, ...bare } = contract;
    const { broker } = alpaca({ '/v2/options/contracts': { option_contracts: [bare] } });
    const found = await broker.optionContracts?.({ ...query, right: undefined, strike: undefined });
    expect(found).toMatchObject({ contracts: [{ open_interest: null, close_price: null }], more: false });
  });
});

describe('a position', () => {
  it.each([
    ['crypto', 'BTCUSD', 'BTC/USD'],
    ['crypto', 'BTCUSDT', 'BTC/USDT'],
    ['crypto', 'USDTUSD', 'USDT/USD'],
    ['crypto', 'ETHBTC', 'ETH/BTC'],
    ['crypto', 'BTC/USD', 'BTC/USD'],
    ['us_equity', 'XUSD', 'XUSD'],
  ])('in %s that Alpaca calls %s is one in %s', async (asset_class, told, symbol) => {
    const { broker } = alpaca({ '/v2/positions': [{ ...held, symbol: told, asset_class }] });
    const [position] = await broker.positions();
    expect(positionSchema.parse(position)).toMatchObject({ symbol, qty: '0.5', market_value: '30000' });
  });
});

describe('the account', () => {
  const account = {
    account_number: '010203ABCD',
    status: 'ACTIVE',
    currency: 'USD',
    cash: '1000',
    equity: '1000',
    last_equity: '1000',
    buying_power: '1000',
    long_market_value: '0',
    trading_blocked: false,
  };

  it('tells what of options and crypto it may trade', async () => {
    const options = { options_trading_level: 2, options_approved_level: 3, options_buying_power: '500.25' };
    const { broker } = alpaca({ '/v2/account': { ...account, ...options, crypto_status: 'ACTIVE' } });
    expect(accountSchema.parse(await broker.account())).toMatchObject({
      options_level: 2,
      options_buying_power: '500.25',
      crypto_active: true,
    });
  });

  it('that isn’t let at crypto says so, and of what it isn’t told nothing', async () => {
    const { broker } = alpaca({ '/v2/account': { ...account, crypto_status: 'INACTIVE' } });
    const read = await broker.account();
    expect(read.crypto_active).toBe(false);
    expect(read).not.toHaveProperty('options_level');
  });
});
