import { describe, expect, it } from 'vitest';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import type { BrokerSnapshot } from '../../../../src/gateway/policy/order-world.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/rules.ts';
import type { Order, Position } from '../../../../src/trading/views.ts';
import { aPosition } from '../../../fixtures/builders.ts';
import {
  type Changes,
  type Circumstances,
  draft,
  factsOf,
  limitedTo,
  placedElsewhere,
  subject,
  world,
} from './sound-order.ts';

const CALL = 'AAPL261218C00200000';
const PUT = 'AAPL261218P00150000';

function reasonsOf(circumstances: Circumstances, limits: AccountLimits = {}) {
  const facts = factsOf(circumstances);
  const { effect, reasons, limit, value } = evaluatePolicy(limitedTo(limits), subject, 'place', facts);
  return { effect, reasons, ...(limit === undefined ? {} : { limit, value }) };
}

const allowed = { effect: 'allow', reasons: [] };

const held = (symbol: string, qty: string, side: Position['side'] = 'long') =>
  aPosition({ symbol, side, qty, qty_available: qty });

/** A world in which the account may trade all, and an option at $1.20. */
const optionWorld = (changes: Partial<BrokerSnapshot> = {}): Partial<BrokerSnapshot> => ({
  account: { ...world.account, options_level: 2, crypto_active: true },
  asset: { ...world.asset, fractionable: false },
  quote: { ...world.quote, bid: '1.20', ask: '1.20', last: '1.20' },
  ...changes,
});
const option = (symbol: string, position_intent: NonNullable<Changes['position_intent']>, qty = '1') =>
  ({
    ...{ symbol, position_intent, qty, side: position_intent.startsWith('buy') ? 'buy' : 'sell' },
    ...{ limit_price: '1.20', reference_price: '1.20' },
  }) as const satisfies Changes;
const elsewhere = (changes: Partial<Order>) => placedElsewhere({ side: 'sell', ...changes });

describe('a class that the broker lets nobody at', () => {
  const coin: Changes = { symbol: 'BTC/USD', qty: '0.1', time_in_force: 'gtc', coin_fee: '0.0025' };

  it.each<[string, Changes, Partial<BrokerSnapshot['account']>]>([
    ['crypto of an account that is not let at it', coin, { crypto_active: false }],
    ['crypto where the broker says nothing', coin, {}],
    ['options of an account of level 0', option(CALL, 'buy_to_open'), { options_level: 0 }],
    ['options where the broker says nothing', option(CALL, 'buy_to_open'), {}],
  ])('is not traded: %s', (_, order, account) => {
    const facts = { order, world: { account: { ...world.account, ...account } } };
    expect(reasonsOf(facts).reasons).toContain('ASSET_CLASS_NOT_ENABLED');
  });

  it('is traded where it says so', () => {
    const account = { ...world.account, crypto_active: true };
    expect(reasonsOf({ order: coin, world: { account } })).toEqual(allowed);
  });

  it('asks nothing of shares', () => {
    expect(reasonsOf({})).toEqual(allowed);
  });
});

describe('the classes that an owner names', () => {
  it.each<[AccountLimits, Changes, boolean]>([
    [{ asset_classes: ['us_equity'] }, {}, true],
    [{ asset_classes: ['us_equity'] }, { symbol: 'BTC/USD', time_in_force: 'gtc' }, false],
    [{ asset_classes: ['us_equity'] }, option(CALL, 'buy_to_open'), false],
    [{ asset_classes: ['crypto'] }, {}, false],
    [{ asset_classes: ['us_equity', 'us_option'] }, option(CALL, 'buy_to_open'), true],
    [{}, option(CALL, 'buy_to_open'), true],
  ])('%j', (limits, order, passes) => {
    const { reasons } = reasonsOf({ order, world: optionWorld() }, limits);
    expect(reasons.includes('ASSET_CLASS_NOT_ALLOWED')).toBe(!passes);
  });
});

describe('the market of a pair', () => {
  const market = { ...world.market, is_open: false };

  it('is open while the exchange is closed, and a share’s is not', () => {
    const coin: Changes = {
      ...{ symbol: 'BTC/USD', type: 'market', limit_price: undefined, time_in_force: 'gtc', coin_fee: '0.0025' },
    };
    expect(reasonsOf({ order: { type: 'market', limit_price: undefined }, world: { market } }).reasons).toEqual([
      'MARKET_CLOSED',
    ]);
    // As `readWorlds` gives each symbol its own.
    const account = { ...world.account, crypto_active: true };
    expect(reasonsOf({ order: coin, world: { account, market: { ...market, is_open: true } } })).toEqual(allowed);
  });
});

describe('an option', () => {
  it.each([
    ['buy_to_open', CALL, 1, ['OPTIONS_LEVEL_TOO_LOW']],
    ['buy_to_open', CALL, 2, []],
    ['sell_to_open', CALL, 1, []],
  ] as const)('to %s %s takes the broker’s level: %i', (intent, symbol, options_level, reasons) => {
    const account = { ...world.account, options_level };
    const facts = optionWorld({ account, positions: [held('AAPL', '100')] });
    expect(reasonsOf({ order: option(symbol, intent), world: facts }).reasons).toEqual(reasons);
  });

  /** What is free of what the order may take where that is too little; `unknown` where nobody can tell. */
  type Short = string | undefined;
  const shortOf = (reason: string, free: Short, value: string) => {
    if (free === undefined) return allowed;
    if (free === 'unknown') return { effect: 'deny', reasons: ['FACT_UNAVAILABLE'] };
    return { effect: 'deny', reasons: [reason], limit: free, value };
  };
  const counted = (covering: object) => ({ shares: '0', cash: '0', buys: '0', ...covering });
  const covered = [held('AAPL', '100')];

  it.each<[string, Partial<BrokerSnapshot>, Short, object?]>([
    ['100 shares', { positions: covered }, undefined],
    ['99 shares', { positions: [held('AAPL', '99')] }, '99'],
    ['none', { positions: [] }, '0'],
    ['shares of another', { positions: [held('MSFT', '100')] }, '0'],
    ['shares owed', { positions: [held('AAPL', '100', 'short')] }, '0'],
    ['shares of another call', { positions: [...covered, held('AAPL261120C00190000', '1', 'short')] }, '0'],
    ['shares on sale elsewhere', { positions: covered, elsewhere: [elsewhere({ qty: '1' })] }, '99'],
    [
      'shares that a call on sale elsewhere may take',
      { positions: covered, elsewhere: [elsewhere({ symbol: 'AAPL261120C00190000', qty: '1' })] },
      '0',
    ],
    ['shares that this gateway has on sale', { positions: covered }, '99', { shares: '1' }],
    [
      'shares that a spread may take, which nobody here reckons with',
      {
        positions: covered,
        elsewhere: [elsewhere({ symbol: 'X + Y', side: '', qty: null, legs: [elsewhere({})] })],
      },
      'unknown',
    ],
  ])('that is a call sold needs its shares: %s', (_, changes, free, covering = {}) => {
    const told = reasonsOf({
      order: option(CALL, 'sell_to_open'),
      world: optionWorld(changes),
      counted: { covering: counted(covering) },
    });
    expect(told).toEqual(shortOf('CALL_NOT_COVERED', free, '100'));
  });

  const cash = (amount: string) => ({ ...world.account, options_level: 2, cash: amount });
  const buys = (limit_price: string | null) => [elsewhere({ side: 'buy', qty: '1', limit_price })];

  it.each<[string, Partial<BrokerSnapshot>, Short, object?]>([
    ['all of it', { account: cash('15000.00') }, undefined],
    ['a cent less', { account: cash('14999.99') }, '14999.99'],
    ['buying power that is lent', { account: { ...cash('1000.00'), buying_power: '99999' } }, '1000.00'],
    [
      'cash behind another put',
      { account: cash('20000.00'), positions: [held('MSFT261218P00060000', '1', 'short')] },
      '14000.00',
    ],
    ['cash of a purchase elsewhere', { account: cash('15000.00'), elsewhere: buys('0.50') }, '14999.50'],
    ['cash of an unbounded purchase', { account: cash('99999.00'), elsewhere: buys(null) }, 'unknown'],
    ['cash that this gateway has out', { account: cash('15000.00') }, '14999.99', { cash: '0.01' }],
  ])('that is a put sold needs its cash: %s', (_, changes, free, covering = {}) => {
    const told = reasonsOf({
      order: option(PUT, 'sell_to_open'),
      world: optionWorld(changes),
      counted: { covering: counted(covering) },
    });
    expect(told).toEqual(shortOf('PUT_NOT_SECURED', free, '15000.00'));
  });

  const bought = { positions: [held(CALL, '1')] };
  const sold = { positions: [held(CALL, '1', 'short')] };

  it.each<[string, Changes, Partial<BrokerSnapshot>, NonNullable<Circumstances['counted']>, string[]]>([
    ['what is held', option(CALL, 'sell_to_close'), bought, {}, []],
    ['more than is held', option(CALL, 'sell_to_close', '2'), bought, {}, ['POSITION_NOT_HELD']],
    [
      'what is on sale already',
      option(CALL, 'sell_to_close'),
      bought,
      { open_symbol_sells: '1' },
      ['POSITION_NOT_HELD'],
    ],
    ['what was sold, as if it were held', option(CALL, 'sell_to_close'), sold, {}, ['POSITION_NOT_HELD']],
    ['what was sold', option(CALL, 'buy_to_close'), sold, {}, []],
    ['what nobody sold', option(CALL, 'buy_to_close'), { positions: [] }, {}, ['POSITION_NOT_HELD']],
    [
      'what is being bought back',
      option(CALL, 'buy_to_close'),
      sold,
      { covering: counted({ buys: '1' }) },
      ['POSITION_NOT_HELD'],
    ],
    ['opens against what was sold', option(CALL, 'buy_to_open'), sold, {}, ['POSITION_INTENT_MISMATCH']],
    [
      'opens against what is held',
      option(CALL, 'sell_to_open'),
      { positions: [...covered, held(CALL, '1')] },
      {},
      ['POSITION_INTENT_MISMATCH'],
    ],
  ])('closes %s', (_, order, changes, counted, reasons) => {
    expect(reasonsOf({ order, world: optionWorld(changes), counted }).reasons).toEqual(reasons);
  });

  it('that does not say what becomes of the position is no order', () => {
    const order: Changes = { ...option(CALL, 'buy_to_open'), position_intent: undefined };
    expect(reasonsOf({ order, world: optionWorld() }).reasons).toContain('POSITION_INTENT_MISMATCH');
  });

  it('counts for what can come of it', () => {
    const limits = { max_order_notional: '15000' };
    const account = cash('99999.00');
    const opened = (symbol: string) => ({
      order: option(symbol, 'sell_to_open'),
      world: optionWorld({ account, positions: covered }),
    });
    expect(reasonsOf(opened(PUT), limits)).toEqual(allowed);
    expect(reasonsOf(opened(CALL), limits)).toMatchObject({
      reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      value: '20000.00',
    });
    const two = { order: option(CALL, 'buy_to_open', '2'), world: optionWorld() };
    expect(reasonsOf(two, { max_order_notional: '240' })).toEqual(allowed);
    expect(reasonsOf(two, { max_order_notional: '239.99' })).toMatchObject({ value: '240.00' });
  });

  it('is told apart from the shares by its symbol alone', () => {
    expect(factsOf({ order: option(CALL, 'buy_to_open') }).option).toMatchObject({ intent: 'buy_to_open' });
    expect(factsOf({})).not.toHaveProperty('option');
    expect(draft.symbol).toBe('AAPL');
  });
});
