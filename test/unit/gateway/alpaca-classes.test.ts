import { describe, expect, it } from 'vitest';
import { connectAlpaca } from '../../../src/gateway/broker/alpaca/alpaca-broker.ts';
import { createAssetCatalogue } from '../../../src/gateway/broker/asset-catalogue.ts';
import { accountSchema, positionSchema, quoteSchema } from '../../../src/trading/views.ts';

/*
 * What Alpaca answers of crypto and options, from the examples of its published contracts (Trading API 2.0.1, Market Data
 * API 1.1), and what the adapter makes of it by Alpaca's own SDK.
 */

const CALL = 'AAPL250620C00100000';

const contract = {
  id: '98359ef7-5124-49f3-85ea-5cf02df6defa',
  symbol: CALL,
  name: 'AAPL Jun 20 2025 100 Call',
  status: 'active',
  tradable: true,
  expiration_date: '2025-06-20',
  root_symbol: 'AAPL',
  underlying_symbol: 'AAPL',
  underlying_asset_id: 'b0b6dd9d-8b9b-48a9-ba46-b9d54906e415',
  type: 'call',
  style: 'american',
  strike_price: '100',
  multiplier: '100',
  size: '100',
  open_interest: '237',
  open_interest_date: '2023-12-11',
  close_price: '148.38',
  close_price_date: '2023-12-11',
};

const bitcoin = {
  id: '276e2673-764b-4ab6-a611-caf665ca6340',
  class: 'crypto',
  exchange: 'CRYPTO',
  symbol: 'BTC/USD',
  name: 'Bitcoin / US Dollar',
  status: 'active',
  tradable: true,
  marginable: false,
  shortable: false,
  easy_to_borrow: false,
  fractionable: true,
  min_order_size: '0.000026873',
  min_trade_increment: '0.000000001',
  price_increment: '1',
};

const held = {
  asset_id: '276e2673-764b-4ab6-a611-caf665ca6340',
  asset_marginable: false,
  avg_entry_price: '59000',
  change_today: '0.01',
  cost_basis: '29500',
  current_price: '60000',
  exchange: 'CRYPTO',
  lastday_price: '59400',
  market_value: '30000',
  qty: '0.5',
  qty_available: '0.5',
  side: 'long',
  unrealized_intraday_pl: '300',
  unrealized_intraday_plpc: '0.01',
  unrealized_pl: '500',
  unrealized_plpc: '0.016949152542',
};

/** An Alpaca that has these answers, by path; what it was asked. */
function alpacaWith(answers: Readonly<Record<string, unknown>>) {
  const asked: URL[] = [];
  const fetch = async (input: Parameters<typeof globalThis.fetch>[0]) => {
    const url = new URL(input instanceof Request ? input.url : String(input));
    asked.push(url);
    const answer = answers[url.pathname];
    return answer === undefined
      ? Response.json({ code: 40410000, message: 'not found' }, { status: 404 })
      : Response.json(answer);
  };
  const broker = connectAlpaca({
    environment: 'paper',
    tradingUrl: 'https://paper-api.alpaca.markets',
    dataUrl: 'https://data.alpaca.markets',
    simulated: false,
    fetch,
    timeoutMs: 1000,
    assets: createAssetCatalogue(Date.now),
  })({ accessToken: 'token' }, () => {});
  return { broker, asked };
}

describe('a quote', () => {
  it('of each class comes from where Alpaca has it, in the order asked', async () => {
    const { broker, asked } = alpacaWith({
      '/v2/assets/AAPL': {
        ...bitcoin,
        class: 'us_equity',
        symbol: 'AAPL',
        name: 'Apple',
        exchange: 'NASDAQ',
      },
      '/v2/assets/BTC%2FUSD': bitcoin,
      [`/v2/options/contracts/${CALL}`]: contract,
      '/v2/stocks/snapshots': {
        AAPL: {
          latestTrade: { t: '2024-04-22T19:59:58Z', x: 'V', p: 165.84, s: 1, c: ['@'], i: 1, z: 'C' },
          latestQuote: {
            t: '2024-04-22T19:59:59Z',
            ax: 'V',
            ap: 165.85,
            as: 1,
            bx: 'V',
            bp: 165.83,
            bs: 1,
            c: ['R'],
            z: 'C',
          },
        },
      },
      '/v1beta3/crypto/us/snapshots': {
        snapshots: {
          'BTC/USD': {
            latestQuote: { ap: 31742, as: 0.395, bp: 31741, bs: 0.395, t: '2022-05-31T11:55:58.507608832Z' },
            latestTrade: { i: 32396097, p: 31744, s: 0.0543, t: '2022-05-31T11:53:45.027481Z', tks: 'B' },
            prevDailyBar: {
              c: 31649,
              h: 32251,
              l: 30251,
              n: 8221,
              o: 30310,
              t: '2022-05-30T05:00:00Z',
              v: 1856.4065,
              vw: 30877.2751897281,
            },
          },
        },
      },
      '/v1beta1/options/snapshots': {
        next_page_token: null,
        snapshots: {
          [CALL]: {
            latestQuote: {
              ap: 4.3,
              as: 91,
              ax: 'B',
              bp: 4.15,
              bs: 16,
              bx: 'C',
              c: 'A',
              t: '2024-04-22T19:59:59.992734208Z',
            },
            latestTrade: { c: 'I', p: 4.1, s: 1, t: '2024-04-22T19:57:32.589554432Z', x: 'A' },
          },
        },
      },
    });
    const quotes = await broker.quotes([CALL, 'BTC/USD', 'AAPL']);
    expect(quotes.map((quote) => quoteSchema.parse(quote))).toMatchObject([
      { symbol: CALL, name: 'AAPL Jun 20 2025 100 Call', bid: '4.15', ask: '4.30', last: '4.10' },
      {
        symbol: 'BTC/USD',
        name: 'Bitcoin / US Dollar',
        bid: '31741.00',
        last: '31744.00',
        previous_close: '31649.00',
      },
      { symbol: 'AAPL', bid: '165.83', ask: '165.85' },
    ]);
    expect(asked.filter(({ pathname }) => pathname.endsWith('snapshots'))).toHaveLength(3);
  });

  it('of a coin that costs less than a share’s tick keeps its price', async () => {
    const { broker } = alpacaWith({
      '/v1beta3/crypto/us/snapshots': {
        snapshots: {
          'SHIB/USD': {
            latestQuote: { ap: 0.00001235, as: 1, bp: 0.00001233, bs: 1, t: '2022-05-31T11:55:58Z' },
            latestTrade: { i: 1, p: 0.00001234, s: 1, t: '2022-05-31T11:53:45Z', tks: 'B' },
          },
        },
      },
    });
    expect(await broker.quotes(['SHIB/USD'])).toMatchObject([
      { bid: '0.00001233', ask: '0.00001235', last: '0.00001234' },
    ]);
  });

  it('of a contract that never traded is none', async () => {
    const { broker } = alpacaWith({
      '/v1beta1/options/snapshots': { next_page_token: null, snapshots: { [CALL]: {} } },
    });
    expect(await broker.quotes([CALL])).toEqual([]);
  });

  it('of more contracts than one request may have comes in several', async () => {
    const { broker, asked } = alpacaWith({
      '/v1beta1/options/snapshots': { next_page_token: null, snapshots: {} },
    });
    const symbols = Array.from(
      { length: 101 },
      (_, at) => `AAPL250620C${String(at + 1).padStart(5, '0')}000`,
    );
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
    const bar = { c: 29003, h: 29003, l: 28999, n: 4, o: 28999, v: 0.01, vw: 29001 };
    const { broker, asked } = alpacaWith({
      '/v1beta3/crypto/us/bars': {
        bars: {
          'BTC/USD': [
            { ...bar, t: '2022-05-27T10:18:00Z' },
            { ...bar, t: '2022-05-26T10:18:00Z' },
          ],
        },
        next_page_token: 'MTY0MDk0ODkyMzAwMDAwMDAwMHwyNDg0MzE3MQ==',
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
    const { broker } = alpacaWith({
      '/v1beta1/options/bars': {
        bars: {
          [symbol]: [
            { c: 0.34, h: 0.38, l: 0.34, n: 7, o: 0.38, t: '2024-01-18T05:00:00Z', v: 12, vw: 0.3525 },
          ],
        },
        next_page_token: null,
      },
    });
    expect(await broker.bars({ symbol, ...query })).toMatchObject([{ close: '0.34', volume: '12' }]);
  });
});

describe('what can be traded', () => {
  it('is looked up by name among shares and pairs', async () => {
    const { broker, asked } = alpacaWith({
      '/v2/assets': [bitcoin, { ...bitcoin, symbol: 'OLD/USD', tradable: false }],
    });
    const symbols = (await broker.assets()).map(({ symbol }) => symbol);
    expect([...new Set(symbols)]).toEqual(['BTC/USD']);
    expect(asked.map(({ searchParams }) => searchParams.get('asset_class')).sort()).toEqual([
      'crypto',
      'us_equity',
    ]);
  });

  it('of a contract is whether it can be traded, in whole contracts', async () => {
    const { broker } = alpacaWith({ [`/v2/options/contracts/${CALL}`]: contract });
    expect(await broker.asset(CALL)).toEqual({
      symbol: CALL,
      name: 'AAPL Jun 20 2025 100 Call',
      exchange: '',
      tradable: true,
      fractionable: false,
      shortable: false,
    });
    expect(await broker.asset('AAPL250620C00105000')).toBeUndefined();
  });

  it('of a contract that is over is nothing', async () => {
    const over = { ...contract, status: 'inactive' };
    const { broker } = alpacaWith({ [`/v2/options/contracts/${CALL}`]: over });
    expect(await broker.asset(CALL)).toMatchObject({ tradable: false });
  });

  it('on a share is listed by expiry, right and strike', async () => {
    const { broker, asked } = alpacaWith({
      '/v2/options/contracts': { option_contracts: [contract], next_page_token: 'MTAwMA==' },
    });
    const found = await broker.optionContracts?.({
      underlying: 'AAPL',
      expires: { from: '2025-06-01', to: '2025-06-30' },
      right: 'call',
      strike: { from: '97.5', to: '100' },
      limit: 1,
    });
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
    const { broker } = alpacaWith({ '/v2/options/contracts': { option_contracts: [bare] } });
    const query = { underlying: 'AAPL', expires: { from: '2025-06-01', to: '2025-06-30' }, limit: 1 };
    const found = await broker.optionContracts?.({ ...query, right: undefined, strike: undefined });
    expect(found).toMatchObject({ contracts: [{ open_interest: null, close_price: null }], more: false });
  });
});

describe('a position', () => {
  it.each([
    ['BTCUSD', 'BTC/USD'],
    ['BTCUSDT', 'BTC/USDT'],
    ['USDTUSD', 'USDT/USD'],
    ['ETHBTC', 'ETH/BTC'],
    ['BTC/USD', 'BTC/USD'],
  ])('in crypto that Alpaca calls %s is one in %s', async (told, symbol) => {
    const { broker } = alpacaWith({ '/v2/positions': [{ ...held, symbol: told, asset_class: 'crypto' }] });
    const [position] = await broker.positions();
    expect(positionSchema.parse(position)).toMatchObject({ symbol, qty: '0.5', market_value: '30000' });
  });

  it('of another class keeps its symbol', async () => {
    const { broker } = alpacaWith({
      '/v2/positions': [{ ...held, symbol: 'XUSD', asset_class: 'us_equity' }],
    });
    expect(await broker.positions()).toMatchObject([{ symbol: 'XUSD' }]);
  });
});

describe('the account', () => {
  const account = {
    id: 'e6fe16f3-64a4-4921-8928-cadf02f92f98',
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
    const more = {
      options_trading_level: 2,
      options_approved_level: 3,
      options_buying_power: '500.25',
      crypto_status: 'ACTIVE',
    };
    const { broker } = alpacaWith({ '/v2/account': { ...account, ...more } });
    expect(accountSchema.parse(await broker.account())).toMatchObject({
      options_level: 2,
      options_buying_power: '500.25',
      crypto_active: true,
    });
  });

  it('that isn’t let at crypto says so, and of what it isn’t told nothing', async () => {
    const { broker } = alpacaWith({ '/v2/account': { ...account, crypto_status: 'INACTIVE' } });
    const read = await broker.account();
    expect(read.crypto_active).toBe(false);
    expect(read).not.toHaveProperty('options_level');
  });
});
