import { describe, expect, it } from 'vitest';
import { evaluatePolicy, toDecisionProblem } from '../../../../src/gateway/policy/decide.ts';
import type { Decision, HoldingFacts } from '../../../../src/gateway/policy/decision.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/rules.ts';
import { newYorkDate } from '../../../../src/trading/new-york-time.ts';
import type { Order } from '../../../../src/trading/views.ts';
import {
  type Changes,
  type Circumstances,
  factsOf,
  limitedTo,
  placedElsewhere,
  subject,
  world,
} from './sound-order.ts';

function decided(limits: AccountLimits, circumstances: Circumstances = {}): Decision {
  const action = circumstances.replaces === undefined ? 'place' : 'replace';
  return evaluatePolicy(limitedTo(limits), subject, action, factsOf(circumstances));
}

const market: Changes = { type: 'market', limit_price: undefined };
const sell: Changes = { side: 'sell', reference_price: '179.99' };
const marketSale: Changes = { ...market, ...sell };
const amount = (notional: string): Changes => ({ ...market, qty: undefined, notional });
const stop = (stop_price: string, limit_price?: string): Changes => ({
  type: limit_price === undefined ? 'stop' : 'stop_limit',
  stop_price,
  limit_price,
});
const loose = (order: Changes): Changes => ({ ...order, max_slippage: '0.1' });
const trailing: Changes = { type: 'trailing_stop', limit_price: undefined, trail_percent: '5' };
const option = (symbol: string): Circumstances => ({
  order: { symbol, position_intent: 'buy_to_open' },
  world: { account: { ...world.account, options_level: 2 }, positions: [] },
});
const elsewhere = (changes: Partial<Order>): Circumstances => ({
  world: { elsewhere: [placedElsewhere(changes)] },
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

const holding = (changes: { readonly [Name in keyof HoldingFacts]?: HoldingFacts[Name] | undefined }) => ({
  holdings: { ...factsOf().holdings, ...changes } as HoldingFacts,
});

/** What, the limit at which it just passes, the one at which it does not, and what is measured. */
type Row = readonly [what: string, circumstances: Circumstances, passes: unknown, refuses: unknown, value: string];
type Case = readonly [what: string, ...Row, name: string, reason: string];
const of = (name: keyof AccountLimits, reason: string, rows: readonly Row[]): readonly Case[] =>
  rows.map((row) => [`${name}: ${row[0]}`, ...row, name, reason]);

const aBid: Changes = { limit_price: '198.01' };
const cases: readonly Case[] = [
  ...of('max_order_notional', 'NOTIONAL_EXCEEDS_MAX_PER_ORDER', [
    ['an order at its limit', {}, '900', '899.99', '900.00'],
    ['a market order at its worst', { order: market }, '909.05', '909.04', '909.05'],
    ['an amount at the amount', { order: amount('909.05') }, '909.05', '909.04', '909.05'],
    ['a stop purchase with its band', { order: stop('190.00') }, '959.50', '959.49', '959.50'],
    ['a sale at its price', { order: { ...sell, limit_price: '1.00' } }, '899.95', '899.94', '899.95'],
  ]),
  ...of('max_order_qty', 'QUANTITY_EXCEEDS_MAX_PER_ORDER', [
    ['its shares', {}, '5', '4.999', '5'],
    ['the shares of an amount', { order: amount('900.05') }, '5', '4.9', '5'],
  ]),
  ...of('max_day_notional', 'NOTIONAL_EXCEEDS_MAX_PER_DAY', [
    ['the day with it', { counted: { day_notional: '1000.50' } }, '1900.50', '1900.49', '1900.50'],
  ]),
  ...of('max_day_orders', 'ORDERS_EXCEED_MAX_PER_DAY', [
    ['the orders of the day with it', { counted: { day_orders: 4 } }, 5, 4, '5'],
  ]),
  ...of('max_orders_per_minute', 'RATE_EXCEEDS_MAX_PER_MINUTE', [
    ['the orders of a minute with it', { counted: { last_minute: 4 } }, 5, 4, '5'],
  ]),
  ...of('max_open_orders', 'ORDERS_EXCEED_MAX_OPEN', [
    ['the open orders with it', { counted: { open_orders: 4 } }, 5, 4, '5'],
    ['those that are open by other ways', elsewhere({ symbol: 'MSFT' }), 2, 1, '2'],
  ]),
  ...of('max_position_weight', 'POSITION_EXCEEDS_MAX_WEIGHT', [
    ['the position with it', {}, '0.027', '0.0269', '0.027'],
    ['with what is open', { counted: { open_symbol_notional: '300.00' } }, '0.03', '0.0299', '0.03'],
    // As far as it is not filled.
    ['with what is open by other ways', elsewhere({ filled_qty: '2' }), '0.0324', '0.0323', '0.0324'],
  ]),
  ...of('max_price_deviation', 'PRICE_DEVIATES_FROM_QUOTE', [
    ['a bid above the price', { order: aBid }, '0.11', '0.0999', '0.1'],
    ['an offer below the price', { order: { ...sell, limit_price: '161.99' } }, '0.11', '0.1', '0.1001'],
    ['the limit of a stop above its stop', { order: stop('200.00', '210.00') }, '0.05', '0.0499', '0.05'],
    // Compared with the price.
    ['the limit of a stop that is reached', { order: stop('100.00', '198.01') }, '0.11', '0.0999', '0.1'],
    ['the limit that a market purchase goes out under', { order: loose(market) }, '0.1', '0.02', '0.1'],
    ['the limit that a market sale goes out under', { order: loose(marketSale) }, '0.1', '0.02', '0.1'],
    ['the limit that a stop goes out under', { order: loose(stop('200.00')) }, '0.1', '0.02', '0.1'],
  ]),
  ...of('min_seconds_between_same', 'ORDER_DUPLICATES_RECENT', [
    ['the seconds since the same', { counted: { same_before: 60 } }, 60, 61, '60'],
  ]),
  ...of('symbols', 'SYMBOL_NOT_ALLOWED', [
    ['one that is not allowed', {}, { allow: ['AAPL', 'MSFT'] }, { allow: ['MSFT'] }, 'AAPL'],
  ]),
  ...of('symbols', 'SYMBOL_DENIED', [
    ['one that is denied', {}, { allow: ['AAPL'], deny: ['MSFT'] }, { allow: ['AAPL'], deny: ['AAPL'] }, 'AAPL'],
    ...(
      [
        ['an option on a symbol that is denied', 'AAPL261218C00190000', 'MSFT', 'AAPL'],
        ['an option whose contract a split has changed', 'AAPL1261218C00190000', 'AAP', 'AAPL'],
        ['an option on a class of shares, whose root has no dot', 'BRKB261218C00500000', 'BRK.A', 'BRK.B'],
      ] as const
    ).map(
      ([what, symbol, other, denied]): Row => [what, option(symbol), { deny: [other] }, { deny: [denied] }, symbol],
    ),
  ]),
  ...of('sides', 'SIDE_NOT_ALLOWED', [['a side', {}, ['buy'], ['sell'], 'buy']]),
  ...of('types', 'TYPE_NOT_ALLOWED', [['a type', {}, ['limit'], ['market'], 'limit']]),
];

describe('a limit', () => {
  it.each(cases)('lets pass what is equal to it, and refuses what is not: %s', (...given) => {
    const [, , circumstances, passes, refuses, value, name, reason] = given;
    expect(decided({ [name]: passes }, circumstances)).toMatchObject({ effect: 'allow', reasons: [] });
    const decision = decided({ [name]: refuses }, circumstances);
    const limit = { limit: Array.isArray(refuses) ? refuses.join(' ') : String(refuses) };
    const measured = { value, ...(name === 'symbols' ? {} : limit) };
    expect(decision).toMatchObject({ effect: 'deny', reasons: [reason], ...measured });
    expect(toDecisionProblem(decision).toProblem()).toMatchObject({
      ...{ status: 403, code: 'policy_denied', reason, reasons: [reason], policy: 'of the rules' },
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
    ['the loss', { max_day_loss: '500' }, holding({ last_equity: null })],
    ['what was deposited', { max_day_loss: '500' }, holding({ day_flow: null })],
    ['what nobody asked for', { max_day_loss: '500' }, holding({ day_flow: undefined })],
    ['an account worth nothing', { max_position_weight: '0.5' }, holding({ equity: '0' })],
  ])('that needs what nobody could tell refuses: %s', (_, limits, missing) => {
    const facts = { ...factsOf(), ...missing };
    const judged = (of: AccountLimits) => evaluatePolicy(limitedTo(of), subject, 'place', facts);
    expect(judged(limits)).toMatchObject({ effect: 'deny', reasons: ['FACT_UNAVAILABLE'] });
    expect(judged({})).toMatchObject({ effect: 'allow' });
  });

  it('that needs the market is told with what refuses without it', () => {
    const rules = limitedTo({
      max_price_deviation: '0.1',
      hours: { zone: 'UTC', from: '00:00', to: '24:00', days: ['tue'] },
    });
    expect(evaluatePolicy(rules, subject, 'place', { ...factsOf(), market: null })).toMatchObject({
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
