import { describe, expect, it } from 'vitest';
import { evaluatePolicy, toDecisionProblem } from '../../../../src/gateway/policy/decide.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/rules.ts';
import { countedSize } from '../../../../src/trading/counted-order.ts';
import { type Order, orderSchema } from '../../../../src/trading/views.ts';
import {
  type Changes,
  type Circumstances,
  changed,
  factsOf,
  limitedTo,
  placedElsewhere,
  subject,
} from './sound-order.ts';

const decided = (circumstances: Circumstances, limits: AccountLimits = {}) =>
  evaluatePolicy(limitedTo(limits), subject, 'place', factsOf(circumstances));
const exits = { take_profit_limit_price: '200.00', stop_loss_stop_price: '170.00' };
const bracket: Changes = { order_class: 'bracket', ...exits };
const oco: Changes = {
  ...{ order_class: 'oco', ...exits, side: 'sell', limit_price: undefined, reference_price: '179.99' },
};

const leg = (changes: Partial<Order>): Order =>
  placedElsewhere({
    id: 'leg',
    client_order_id: 'leg',
    side: 'sell',
    qty: '4',
    limit_price: '200',
    ...changes,
  });
const stop = leg({ id: 'stop', type: 'stop_limit', stop_price: '170', limit_price: '168', status: 'held' });
const elsewhere = (...orders: Order[]): NonNullable<Circumstances['world']> => ({
  elsewhere: orders.map((order) => orderSchema.parse(order)),
});
const openElsewhere = (...orders: Order[]) => factsOf({ world: elsewhere(...orders) }).holdings?.open_elsewhere;

describe('an order with exits', () => {
  it('counts as its entry: exits make the position smaller', () => {
    expect(countedSize(changed(bracket))).toEqual({ notional: '900.00', qty: '5' });
    expect(decided({ order: bracket })).toMatchObject({ effect: 'allow' });
  });

  it('counts, without an entry, at its take profit where that is higher than the price', () => {
    expect(countedSize(changed(oco))).toEqual({ notional: '1000.00', qty: '5' });
  });

  it('tells the rules of its class, and of what its stop is held to at the broker', () => {
    expect(factsOf({ order: bracket }).order).toMatchObject({
      order_class: 'bracket',
      stop_loss: { stop_price: '170.00', limit_price: '168.30' },
    });
    expect(factsOf({}).order).not.toHaveProperty('order_class');
  });

  it('has its stop’s limit held against its stop', () => {
    const far: Changes = { ...bracket, stop_loss_limit_price: '150.00' };
    expect(decided({ order: bracket }, { max_price_deviation: '0.05' })).toMatchObject({ effect: 'allow' });
    expect(decided({ order: far }, { max_price_deviation: '0.05' })).toMatchObject({
      effect: 'deny',
      reasons: ['PRICE_DEVIATES_FROM_QUOTE'],
    });
  });
});

describe('the exits of what is held', () => {
  it('are for what is held', () => {
    expect(decided({ order: { ...oco, qty: '10' } })).toMatchObject({ effect: 'allow' });
    const more = decided({ order: { ...oco, qty: '11' } });
    expect(more).toMatchObject({ reasons: ['EXITS_EXCEED_POSITION'], limit: '10', value: '11' });
    expect(toDecisionProblem(more)).toMatchObject({ status: 403, code: 'policy_denied' });
  });

  it('are for what no other order sells', () => {
    expect(decided({ order: oco, counted: { open_symbol_sells: '6' } })).toMatchObject({
      reasons: ['EXITS_EXCEED_POSITION'],
      limit: '4',
    });
    expect(decided({ order: oco, world: elsewhere(leg({ qty: '6' })) })).toMatchObject({
      reasons: ['EXITS_EXCEED_POSITION'],
    });
    expect(decided({ order: oco, world: elsewhere(leg({})) })).toMatchObject({ effect: 'allow' });
  });
});

describe('what is open elsewhere counts', () => {
  it('for the exit that may trade, not for the one that is held back', () => {
    const alone = { order_class: 'bracket' };
    const expected = { symbol_sells: '4', symbol_notional: '0.00' };
    expect(openElsewhere({ ...leg({}), ...alone }, { ...stop, ...alone })).toMatchObject(expected);
    const entry = leg({ id: 'entry', side: 'buy', status: 'filled', filled_qty: '4' });
    expect(openElsewhere({ ...entry, order_class: 'bracket', legs: [leg({}), stop] })).toMatchObject(expected);
  });

  it('for the entry while that is open', () => {
    const entry = leg({ id: 'entry', side: 'buy', limit_price: '180' });
    expect(openElsewhere({ ...entry, order_class: 'bracket', legs: [leg({}), stop] })).toMatchObject({
      symbol_sells: '0',
      symbol_notional: '720.00',
    });
  });

  it('for every leg of an order that nobody here knows, and for no less than all where it does not say', () => {
    const legs = [leg({ side: 'buy', qty: '3', limit_price: '100' }), leg({ qty: '2' })];
    const spread = { ...leg({ symbol: 'AAPL + AAPL', side: '', qty: null }), order_class: 'mleg', legs };
    expect(openElsewhere(spread)).toMatchObject({
      symbol_sells: '2',
      symbol_notional: '300.00',
      opposes: true,
    });
    const strange = leg({ side: 'sell_short', qty: null });
    expect(openElsewhere(strange)).toMatchObject({ symbol_sells: '10', symbol_notional: null });
    expect(decided({ world: elsewhere(strange) }, { max_position_weight: '0.5' })).toMatchObject({
      effect: 'deny',
    });
  });
});
