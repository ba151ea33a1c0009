import { describe, expect, it } from 'vitest';
import { decide, refusalOfDecision } from '../../../../src/gateway/policy/decide.ts';
import type { Decision, HoldingFacts } from '../../../../src/gateway/policy/decision.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/limits.ts';
import type { Rules } from '../../../../src/gateway/policy/rules.ts';
import { newYorkDate } from '../../../../src/trading/new-york-time.ts';
import type { Order } from '../../../../src/trading/views.ts';
import { type Changes, type Circumstances, factsOf, subject, world } from './sound-order.ts';

function decided(limits: AccountLimits, circumstances: Circumstances = {}): Decision {
  const rules: Rules = {
    digest: 'of the rules',
    limitsOf: () => limits,
    cedar: { evaluate: () => ({ forbidden: [] }) },
  };
  const action = circumstances.replaces === undefined ? 'place' : 'replace';
  return decide(rules, subject, action, factsOf(circumstances));
}

const market: Changes = { type: 'market', limit_price: undefined };
const sell: Changes = { side: 'sell', reference_price: '179.99' };
const trailing: Changes = { type: 'trailing_stop', limit_price: undefined, trail_percent: '5' };
const option = (symbol: string): Circumstances => ({
  order: { symbol, position_intent: 'buy_to_open' },
  world: { account: { ...world.account, options_level: 2 }, positions: [] },
});
const elsewhere = (changes: Partial<Order>): Circumstances => ({
  world: {
    elsewhere: [
      {
        ...{ id: 'order-1', client_order_id: 'by hand', symbol: 'AAPL', side: 'buy', type: 'limit' },
        ...{ time_in_force: 'gtc', qty: '5', notional: null, limit_price: '180', stop_price: null },
        ...{ trail_price: null, trail_percent: null, extended_hours: false, status: 'new', filled_qty: '0' },
        ...{ filled_avg_price: null, submitted_at: '2026-11-24T16:00:00Z', filled_at: null },
        ...changes,
      } as Order,
    ],
  },
});
const worth = (equity: string, last_equity: string, dayFlow: string | null = '0'): Circumstances => ({
  world: { account: { ...world.account, equity, last_equity }, dayFlow },
});
const quoted = (quote: Partial<typeof world.quote>): Circumstances['world'] => ({
  quote: { ...world.quote, ...quote },
});
const at = (timestamp: string): Circumstances => ({
  world: {
    market: { ...world.market, timestamp },
    session: newYorkDate(Date.parse(timestamp)),
    ...quoted({ at: timestamp }),
  },
});

const withoutFlow = ({ day_flow: _, ...facts }: HoldingFacts): HoldingFacts => facts;

/** What, the limits at which it just passes, the ones at which it does not, the reason, and what is measured. */
type Case = [
  what: string,
  circumstances: Circumstances,
  passes: AccountLimits,
  refuses: AccountLimits,
  reason: string,
  measured: { readonly limit?: string; readonly value?: string | null },
];

const cases: Case[] = [
  [
    'an order at its limit',
    {},
    { max_order_notional: '900' },
    { max_order_notional: '899.99' },
    'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    { limit: '899.99', value: '900.00' },
  ],
  [
    'a market order at its worst',
    { order: market },
    { max_order_notional: '909.05' },
    { max_order_notional: '909.04' },
    'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    { value: '909.05' },
  ],
  [
    'an amount at the amount',
    { order: { ...market, qty: undefined, notional: '909.05' } },
    { max_order_notional: '909.05' },
    { max_order_notional: '909.04' },
    'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    { value: '909.05' },
  ],
  [
    'a stop purchase with its band',
    { order: { type: 'stop', stop_price: '190.00', limit_price: undefined } },
    { max_order_notional: '959.50' },
    { max_order_notional: '959.49' },
    'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    { value: '959.50' },
  ],
  [
    'a sale under its price at its price',
    { order: { ...sell, limit_price: '1.00' } },
    { max_order_notional: '899.95' },
    { max_order_notional: '899.94' },
    'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    { value: '899.95' },
  ],
  [
    'its shares',
    {},
    { max_order_qty: '5' },
    { max_order_qty: '4.999' },
    'QUANTITY_EXCEEDS_MAX_PER_ORDER',
    { limit: '4.999', value: '5' },
  ],
  [
    'the shares of an amount',
    { order: { ...market, qty: undefined, notional: '900.05' } },
    { max_order_qty: '5' },
    { max_order_qty: '4.9' },
    'QUANTITY_EXCEEDS_MAX_PER_ORDER',
    { value: '5' },
  ],
  [
    'the day with it',
    { counted: { day_notional: '1000.50' } },
    { max_day_notional: '1900.50' },
    { max_day_notional: '1900.49' },
    'NOTIONAL_EXCEEDS_MAX_PER_DAY',
    { limit: '1900.49', value: '1900.50' },
  ],
  [
    'the orders of the day with it',
    { counted: { day_orders: 4 } },
    { max_day_orders: 5 },
    { max_day_orders: 4 },
    'ORDERS_EXCEED_MAX_PER_DAY',
    { limit: '4', value: '5' },
  ],
  [
    'the orders of a minute with it',
    { counted: { last_minute: 4 } },
    { max_orders_per_minute: 5 },
    { max_orders_per_minute: 4 },
    'RATE_EXCEEDS_MAX_PER_MINUTE',
    { limit: '4', value: '5' },
  ],
  [
    'the open orders with it',
    { counted: { open_orders: 4 } },
    { max_open_orders: 5 },
    { max_open_orders: 4 },
    'ORDERS_EXCEED_MAX_OPEN',
    { limit: '4', value: '5' },
  ],
  [
    'those that are open by other ways',
    elsewhere({ symbol: 'MSFT' }),
    { max_open_orders: 2 },
    { max_open_orders: 1 },
    'ORDERS_EXCEED_MAX_OPEN',
    { limit: '1', value: '2' },
  ],
  [
    'the position with it',
    {},
    { max_position_weight: '0.027' },
    { max_position_weight: '0.0269' },
    'POSITION_EXCEEDS_MAX_WEIGHT',
    { limit: '0.0269', value: '0.027' },
  ],
  [
    'the position with what is open',
    { counted: { open_symbol_notional: '300.00' } },
    { max_position_weight: '0.03' },
    { max_position_weight: '0.0299' },
    'POSITION_EXCEEDS_MAX_WEIGHT',
    { value: '0.03' },
  ],
  [
    'the position with what is open by other ways, as far as it is not filled',
    elsewhere({ filled_qty: '2' }),
    { max_position_weight: '0.0324' },
    { max_position_weight: '0.0323' },
    'POSITION_EXCEEDS_MAX_WEIGHT',
    { value: '0.0324' },
  ],
  [
    'a bid above the price',
    { order: { limit_price: '198.01' } },
    { max_price_deviation: '0.11' },
    { max_price_deviation: '0.0999' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { limit: '0.0999', value: '0.1' },
  ],
  [
    'an offer below the price',
    { order: { ...sell, limit_price: '161.99' } },
    { max_price_deviation: '0.11' },
    { max_price_deviation: '0.1' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { value: '0.1001' },
  ],
  [
    'the limit of a stop above its stop',
    { order: { type: 'stop_limit', stop_price: '200.00', limit_price: '210.00' } },
    { max_price_deviation: '0.05' },
    { max_price_deviation: '0.0499' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { value: '0.05' },
  ],
  [
    'the limit of a stop that is reached above the price',
    { order: { type: 'stop_limit', stop_price: '100.00', limit_price: '198.01' } },
    { max_price_deviation: '0.11' },
    { max_price_deviation: '0.0999' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { value: '0.1' },
  ],
  [
    'the limit that a market purchase goes out under',
    { order: { ...market, max_slippage: '0.1', reference_price: '180.01' } },
    { max_price_deviation: '0.1' },
    { max_price_deviation: '0.02' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { limit: '0.02', value: '0.1' },
  ],
  [
    'the limit that a market sale goes out under',
    { order: { ...market, ...sell, limit_price: undefined, max_slippage: '0.1', reference_price: '179.99' } },
    { max_price_deviation: '0.1' },
    { max_price_deviation: '0.02' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { limit: '0.02', value: '0.1' },
  ],
  [
    'the limit that a stop goes out under',
    { order: { type: 'stop', stop_price: '200.00', limit_price: undefined, max_slippage: '0.1' } },
    { max_price_deviation: '0.1' },
    { max_price_deviation: '0.02' },
    'PRICE_DEVIATES_FROM_QUOTE',
    { limit: '0.02', value: '0.1' },
  ],
  [
    'the seconds since the same',
    { counted: { same_before: 60 } },
    { min_seconds_between_same: 60 },
    { min_seconds_between_same: 61 },
    'ORDER_DUPLICATES_RECENT',
    { limit: '61', value: '60' },
  ],
  [
    'a symbol that is not allowed',
    {},
    { symbols: { allow: ['AAPL', 'MSFT'] } },
    { symbols: { allow: ['MSFT'] } },
    'SYMBOL_NOT_ALLOWED',
    { value: 'AAPL' },
  ],
  [
    'a symbol that is denied, also where it is allowed',
    {},
    { symbols: { allow: ['AAPL'], deny: ['MSFT'] } },
    { symbols: { allow: ['AAPL'], deny: ['AAPL'] } },
    'SYMBOL_DENIED',
    { value: 'AAPL' },
  ],
  [
    'an option on a symbol that is denied',
    option('AAPL261218C00190000'),
    { symbols: { deny: ['MSFT'] } },
    { symbols: { deny: ['AAPL'] } },
    'SYMBOL_DENIED',
    { value: 'AAPL261218C00190000' },
  ],
  [
    'an option whose contract a split has changed',
    option('AAPL1261218C00190000'),
    { symbols: { deny: ['AAP'] } },
    { symbols: { deny: ['AAPL'] } },
    'SYMBOL_DENIED',
    { value: 'AAPL1261218C00190000' },
  ],
  [
    'an option on a class of shares, whose root has no dot',
    option('BRKB261218C00500000'),
    { symbols: { deny: ['BRK.A'] } },
    { symbols: { deny: ['BRK.B'] } },
    'SYMBOL_DENIED',
    { value: 'BRKB261218C00500000' },
  ],
  [
    'a side',
    {},
    { sides: ['buy'] },
    { sides: ['sell'] },
    'SIDE_NOT_ALLOWED',
    { limit: 'sell', value: 'buy' },
  ],
  [
    'a type',
    {},
    { types: ['limit'] },
    { types: ['market'] },
    'TYPE_NOT_ALLOWED',
    { limit: 'market', value: 'limit' },
  ],
];

describe('a limit', () => {
  it.each(cases)('lets pass what is equal to it, and refuses what is not: %s', (...given) => {
    const [, circumstances, passes, refuses, reason, measured] = given;
    expect(decided(passes, circumstances)).toMatchObject({ effect: 'allow', reasons: [] });
    const decision = decided(refuses, circumstances);
    expect(decision).toMatchObject({ effect: 'deny', reasons: [reason], ...measured });
    expect(refusalOfDecision(decision).toProblem()).toMatchObject({
      status: 403,
      code: 'policy_denied',
      reason,
      reasons: [reason],
      policy: 'of the rules',
      detail: expect.stringMatching(/\w/),
      hint: expect.stringContaining('limits.yaml'),
      ...measured,
    });
  });

  it.each<[string, AccountLimits, Circumstances]>([
    ['a bid far below the price waits', { max_price_deviation: '0.05' }, { order: { limit_price: '90.00' } }],
    [
      'an offer far above the price waits',
      { max_price_deviation: '0.05' },
      { order: { ...sell, limit_price: '400.00' } },
    ],
    ['a sale makes no position larger', { max_position_weight: '0.0001' }, { order: { ...sell, qty: '10' } }],
    [
      'a changed order is no second one',
      { min_seconds_between_same: 60 },
      { counted: { same_before: 0 }, replaces: 'order-1' },
    ],
    [
      'of the order that it replaces nothing is left',
      { max_open_orders: 1 },
      { ...elsewhere({}), replaces: 'order-1' },
    ],
    ['with nobody at the other side', { deny_opposing: true }, { counted: { opposes_open: false } }],
  ])('does not refuse: %s', (_, limits, circumstances) => {
    expect(decided(limits, circumstances)).toMatchObject({ effect: 'allow' });
  });

  it.each<[string, Circumstances]>([
    ['of this gateway', { counted: { opposes_open: true } }],
    ['by another way', elsewhere({ side: 'sell' })],
  ])('deny_opposing refuses to meet an order of one’s own %s', (_, circumstances) => {
    expect(decided({ deny_opposing: true }, circumstances)).toMatchObject({
      reasons: ['ORDER_OPPOSES_OPEN'],
    });
    expect(decided({}, circumstances)).toMatchObject({ effect: 'allow' });
  });

  it.each<[string, AccountLimits, string]>([
    ['max_order_notional', { max_order_notional: '999999999' }, 'NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
    ['max_day_notional', { max_day_notional: '999999999' }, 'NOTIONAL_EXCEEDS_MAX_PER_DAY'],
    ['max_position_weight', { max_position_weight: '1' }, 'POSITION_EXCEEDS_MAX_WEIGHT'],
  ])('%s takes a purchase that nothing bounds for more than any', (_, limits, reason) => {
    expect(decided(limits, { order: trailing })).toMatchObject({ reasons: [reason], value: null });
    expect(decided({}, { order: trailing })).toMatchObject({ effect: 'allow' });
  });

  it.each<[string, AccountLimits, Partial<ReturnType<typeof factsOf>>]>([
    ['what is held', { max_position_weight: '0.5' }, { holdings: null }],
    ['the open orders', { max_open_orders: 5 }, { holdings: null }],
    ['who could meet it', { deny_opposing: true }, { holdings: null }],
    [
      'the loss',
      { max_day_loss: '500' },
      { holdings: { ...(factsOf().holdings as HoldingFacts), last_equity: null } },
    ],
    [
      'what was deposited',
      { max_day_loss: '500' },
      { holdings: { ...(factsOf().holdings as HoldingFacts), day_flow: null } },
    ],
    [
      'what nobody asked for',
      { max_day_loss: '500' },
      { holdings: withoutFlow(factsOf().holdings as HoldingFacts) },
    ],
    [
      'an account worth nothing',
      { max_position_weight: '0.5' },
      { holdings: { ...(factsOf().holdings as HoldingFacts), equity: '0' } },
    ],
  ])('that needs what nobody could tell refuses: %s', (_, limits, missing) => {
    const rules: Rules = {
      digest: '',
      limitsOf: () => limits,
      cedar: { evaluate: () => ({ forbidden: [] }) },
    };
    const facts = { ...factsOf(), ...missing };
    expect(decide(rules, subject, 'place', facts)).toMatchObject({
      effect: 'deny',
      reasons: ['FACT_UNAVAILABLE'],
    });
    expect(decide({ ...rules, limitsOf: () => ({}) }, subject, 'place', facts)).toMatchObject({
      effect: 'allow',
    });
  });

  it('that needs the market is told with what refuses without it', () => {
    const rules: Rules = {
      digest: '',
      limitsOf: () => ({
        max_price_deviation: '0.1',
        hours: { zone: 'UTC', from: '00:00', to: '24:00', days: ['tue'] },
      }),
      cedar: { evaluate: () => ({ forbidden: [] }) },
    };
    expect(decide(rules, subject, 'place', { ...factsOf(), market: null })).toMatchObject({
      reasons: ['FACT_UNAVAILABLE'],
    });
  });

  it('of the price takes no quote from before the session, nor none at all', () => {
    const yesterday = { world: quoted({ at: '2026-11-23T17:00:00Z' }) };
    expect(decided({ max_price_deviation: '0.05' }, yesterday as Circumstances).reasons).toEqual([
      'PRICE_UNAVAILABLE',
      'FACT_STALE',
    ]);
    const none = { world: quoted({ bid: '0', ask: '0', last: '0' }) };
    expect(decided({ max_price_deviation: '0.05' }, none as Circumstances).reasons).toEqual([
      'PRICE_UNAVAILABLE',
      'FACT_UNAVAILABLE',
    ]);
  });
});

describe('hours', () => {
  const hours = { zone: 'America/New_York', from: '09:30', to: '16:00', days: ['mon', 'tue'] } as const;
  const limits: AccountLimits = { hours: { ...hours, days: [...hours.days] } };
  it.each([
    ['at their beginning', '2026-11-24T09:30:00-05:00', true],
    ['just before', '2026-11-24T09:29:59-05:00', false],
    ['just before their end', '2026-11-24T15:59:59-05:00', true],
    ['at their end', '2026-11-24T16:00:00-05:00', false],
    ['on another day', '2026-11-25T12:00:00-05:00', false],
    ['in summer', '2026-07-07T09:30:00-04:00', true],
    ['by the zone’s own day', '2026-11-24T01:00:00Z', false],
  ])('let orders out or not: %s', (_, time, passes) => {
    const decision = decided(limits, at(time));
    expect(decision.reasons).toEqual(passes ? [] : ['HOURS_OUTSIDE_WINDOW']);
  });
});

describe('the loss of a day', () => {
  const limits: AccountLimits = { max_day_loss: '500' };
  const lost = worth('99499.99', '100000.00');
  it('at the limit stops nothing', () => {
    expect(decided(limits, worth('99500.00', '100000.00'))).toMatchObject({ effect: 'allow' });
  });

  it('beyond it stops purchases', () => {
    expect(decided(limits, lost)).toMatchObject({
      effect: 'deny',
      reasons: ['TRADING_REDUCING_ONLY', 'LOSS_EXCEEDS_MAX_PER_DAY'],
    });
    expect(decided({}, lost)).toMatchObject({ effect: 'allow' });
  });

  it('is none for money that was withdrawn, and is not hidden by a deposit', () => {
    expect(decided(limits, worth('90000.00', '100000.00', '-10000'))).toMatchObject({ effect: 'allow' });
    expect(decided(limits, worth('100499.99', '100000.00', '1000'))).toMatchObject({
      reasons: ['TRADING_REDUCING_ONLY', 'LOSS_EXCEEDS_MAX_PER_DAY'],
    });
  });

  it.each([
    ['all that is held', '10', '0', []],
    ['more than is held', '10.5', '0', ['TRADING_REDUCING_ONLY']],
    ['what is not on sale yet', '6', '4', []],
    ['what is on sale already', '6.5', '4', ['TRADING_REDUCING_ONLY']],
  ])('lets sales pass that make the position smaller: %s', (_, qty, open_symbol_sells, reasons) => {
    const circumstances = { ...lost, order: { ...sell, qty }, counted: { open_symbol_sells } };
    expect(decided(limits, circumstances).reasons).toEqual(reasons);
  });

  it.each([
    ['all that is held', '10', []],
    ['more than is held', '10.5', ['FACT_UNAVAILABLE']],
  ])('that nobody can tell lets no sale pass that opens a position: %s', (_, qty, reasons) => {
    const account = { ...world.account, last_equity: null };
    const unknown = { world: { account }, order: { ...sell, qty } };
    expect(decided(limits, unknown).reasons).toEqual(reasons);
  });

  it('counts the sales of other ways', () => {
    const others = { ...elsewhere({ side: 'sell', qty: '4' }).world, ...lost.world };
    expect(decided(limits, { world: others, order: { ...sell, qty: '6' } }).reasons).toEqual([]);
    expect(decided(limits, { world: others, order: { ...sell, qty: '7' } })).toMatchObject({
      reasons: ['TRADING_REDUCING_ONLY'],
      limit: '6',
      value: '7',
    });
  });
});
