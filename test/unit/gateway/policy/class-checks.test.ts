import { describe, expect, it } from 'vitest';
import { decide } from '../../../../src/gateway/policy/decide.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/limits.ts';
import type { OrderWorld } from '../../../../src/gateway/policy/order-world.ts';
import type { Order, Position } from '../../../../src/trading/views.ts';
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
  const { effect, reasons, limit, value } = decide(
    limitedTo(limits),
    subject,
    'place',
    factsOf(circumstances),
  );
  return { effect, reasons, ...(limit === undefined ? {} : { limit, value }) };
}

const allowed = { effect: 'allow', reasons: [] };

const [shares] = world.positions;
if (shares === undefined) throw new Error('the world holds AAPL');
const held = (symbol: string, qty: string, side: Position['side'] = 'long'): Position => ({
  ...shares,
  ...{ symbol, side, qty, qty_available: qty },
});

/** A world in which the account may trade all, and an option at $1.20. */
const optionWorld = (changes: Partial<OrderWorld> = {}): Partial<OrderWorld> => ({
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
  const coin: Changes = { symbol: 'BTC/USD', qty: '0.001', time_in_force: 'gtc' };

  it.each<[string, Changes, Partial<OrderWorld['account']>]>([
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
    const coin: Changes = { symbol: 'BTC/USD', type: 'market', limit_price: undefined, time_in_force: 'gtc' };
    expect(
      reasonsOf({ order: { type: 'market', limit_price: undefined }, world: { market } }).reasons,
    ).toEqual(['MARKET_CLOSED']);
    // As `readWorlds` gives each symbol its own.
    const account = { ...world.account, crypto_active: true };
    expect(reasonsOf({ order: coin, world: { account, market: { ...market, is_open: true } } })).toEqual(
      allowed,
    );
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

  it.each<[string, Partial<OrderWorld>, NonNullable<Circumstances['counted']>, string[], string?]>([
    ['100 shares', { positions: [held('AAPL', '100')] }, {}, []],
    ['99 shares', { positions: [held('AAPL', '99')] }, {}, ['CALL_NOT_COVERED'], '99'],
    ['none', { positions: [] }, {}, ['CALL_NOT_COVERED'], '0'],
    ['shares of another', { positions: [held('MSFT', '100')] }, {}, ['CALL_NOT_COVERED'], '0'],
    ['shares owed', { positions: [held('AAPL', '100', 'short')] }, {}, ['CALL_NOT_COVERED'], '0'],
    [
      'shares that another call may take',
      { positions: [held('AAPL', '100'), held('AAPL261120C00190000', '1', 'short')] },
      {},
      ['CALL_NOT_COVERED'],
      '0',
    ],
    [
      'shares on sale elsewhere',
      { positions: [held('AAPL', '100')], elsewhere: [elsewhere({ qty: '1' })] },
      {},
      ['CALL_NOT_COVERED'],
      '99',
    ],
    [
      'shares that a call on sale elsewhere may take',
      {
        positions: [held('AAPL', '100')],
        elsewhere: [elsewhere({ symbol: 'AAPL261120C00190000', qty: '1' })],
      },
      {},
      ['CALL_NOT_COVERED'],
      '0',
    ],
    [
      'shares that this gateway has on sale',
      { positions: [held('AAPL', '100')] },
      { covering: { shares: '1', cash: '0', buys: '0' } },
      ['CALL_NOT_COVERED'],
      '99',
    ],
    [
      'shares that a spread may take, which nobody here reckons with',
      {
        positions: [held('AAPL', '100')],
        elsewhere: [elsewhere({ symbol: 'X + Y', side: '', qty: null, legs: [elsewhere({})] })],
      },
      {},
      ['FACT_UNAVAILABLE'],
    ],
  ])('that is a call sold needs its shares: %s', (_, changes, counted, reasons, limit) => {
    const told = reasonsOf({ order: option(CALL, 'sell_to_open'), world: optionWorld(changes), counted });
    expect(told.reasons).toEqual(reasons);
    if (limit !== undefined) expect(told).toMatchObject({ limit, value: '100' });
  });

  const cash = (amount: string) => ({ ...world.account, options_level: 2, cash: amount });
  it.each<[string, Partial<OrderWorld>, NonNullable<Circumstances['counted']>, string[], string?]>([
    ['all of it', { account: cash('15000.00') }, {}, []],
    ['a cent less', { account: cash('14999.99') }, {}, ['PUT_NOT_SECURED'], '14999.99'],
    [
      'buying power that is lent',
      { account: { ...cash('1000.00'), buying_power: '99999' } },
      {},
      ['PUT_NOT_SECURED'],
      '1000.00',
    ],
    [
      'cash behind another put',
      { account: cash('20000.00'), positions: [held('MSFT261218P00060000', '1', 'short')] },
      {},
      ['PUT_NOT_SECURED'],
      '14000.00',
    ],
    [
      'cash of a purchase elsewhere',
      { account: cash('15000.00'), elsewhere: [elsewhere({ side: 'buy', qty: '1', limit_price: '0.50' })] },
      {},
      ['PUT_NOT_SECURED'],
      '14999.50',
    ],
    [
      'cash of a purchase that nothing bounds',
      { account: cash('99999.00'), elsewhere: [elsewhere({ side: 'buy', qty: '1', limit_price: null })] },
      {},
      ['FACT_UNAVAILABLE'],
    ],
    [
      'cash that this gateway has out',
      { account: cash('15000.00') },
      { covering: { shares: '0', cash: '0.01', buys: '0' } },
      ['PUT_NOT_SECURED'],
      '14999.99',
    ],
  ])('that is a put sold needs its cash: %s', (_, changes, counted, reasons, limit) => {
    const told = reasonsOf({ order: option(PUT, 'sell_to_open'), world: optionWorld(changes), counted });
    expect(told.reasons).toEqual(reasons);
    if (limit !== undefined) expect(told).toMatchObject({ limit, value: '15000.00' });
  });

  it.each<[string, Changes, Partial<OrderWorld>, NonNullable<Circumstances['counted']>, string[]]>([
    ['what is held', option(CALL, 'sell_to_close'), { positions: [held(CALL, '1')] }, {}, []],
    [
      'more than is held',
      option(CALL, 'sell_to_close', '2'),
      { positions: [held(CALL, '1')] },
      {},
      ['POSITION_NOT_HELD'],
    ],
    [
      'what is on sale already',
      option(CALL, 'sell_to_close'),
      { positions: [held(CALL, '1')] },
      { open_symbol_sells: '1' },
      ['POSITION_NOT_HELD'],
    ],
    [
      'what was sold, as if it were held',
      option(CALL, 'sell_to_close'),
      { positions: [held(CALL, '1', 'short')] },
      {},
      ['POSITION_NOT_HELD'],
    ],
    ['what was sold', option(CALL, 'buy_to_close'), { positions: [held(CALL, '1', 'short')] }, {}, []],
    ['what nobody sold', option(CALL, 'buy_to_close'), { positions: [] }, {}, ['POSITION_NOT_HELD']],
    [
      'what is being bought back',
      option(CALL, 'buy_to_close'),
      { positions: [held(CALL, '1', 'short')] },
      { covering: { shares: '0', cash: '0', buys: '1' } },
      ['POSITION_NOT_HELD'],
    ],
    [
      'opens against what was sold',
      option(CALL, 'buy_to_open'),
      { positions: [held(CALL, '1', 'short')] },
      {},
      ['POSITION_INTENT_MISMATCH'],
    ],
    [
      'opens against what is held',
      option(CALL, 'sell_to_open'),
      { positions: [held('AAPL', '100'), held(CALL, '1')] },
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
    const sold = (symbol: string) => ({
      order: option(symbol, 'sell_to_open'),
      world: optionWorld({ account, positions: [held('AAPL', '100')] }),
    });
    expect(reasonsOf(sold(PUT), limits)).toEqual(allowed);
    expect(reasonsOf(sold(CALL), limits)).toMatchObject({
      reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      value: '20000.00',
    });
    const bought = { order: option(CALL, 'buy_to_open', '2'), world: optionWorld() };
    expect(reasonsOf(bought, { max_order_notional: '240' })).toEqual(allowed);
    expect(reasonsOf(bought, { max_order_notional: '239.99' })).toMatchObject({ value: '240.00' });
  });

  it('is told apart from the shares by its symbol alone', () => {
    expect(factsOf({ order: option(CALL, 'buy_to_open') }).option).toMatchObject({ intent: 'buy_to_open' });
    expect(factsOf({})).not.toHaveProperty('option');
    expect(draft.symbol).toBe('AAPL');
  });
});
