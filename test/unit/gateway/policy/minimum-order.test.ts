import { describe, expect, it } from 'vitest';
import { toUncountedFacts } from '../../../../src/gateway/policy/order-world.ts';
import { type Changes, changed, NOON, world } from './sound-order.ts';

/** The broker's objection to an order of this world, whose coins are sold from 0.0003. */
const objection = (changes: Changes) => {
  const asset = { ...world.asset, ...(changes.symbol === undefined ? {} : { min_order_size: '0.0003' }) };
  return toUncountedFacts({ draft: changed(changes) }, { ...world, asset }, { now: NOON }).broker?.objection ?? null;
};
const dollars = (notional: string): Changes => ({ type: 'market', limit_price: undefined, notional, qty: undefined });
const coin = { symbol: 'ETH/USD', time_in_force: 'gtc' } as const;
const cheap = { reference_price: '3000.00', limit_price: '3000.00' } as const;

describe('an order below the broker’s minimum is refused before anybody is asked:', () => {
  it.each<[string, Changes, string, string]>([
    ['half a dollar', dollars('0.50'), 'purchases from $1.00, but this one is for $0.49', 'notional'],
    ['a dollar, of which the limit leaves less', dollars('1.00'), 'purchases from $1.00', 'notional'],
    ['a fraction of a share', { qty: '0.005' }, 'purchases from $1.00, but this one is for $0.90', 'qty'],
    ['nine dollars of a coin', { ...coin, ...dollars('9.00'), reference_price: '3000.00' }, 'from $10.00', 'notional'],
    ['a small part of a coin', { ...coin, qty: '0.0001', ...cheap }, 'from $10.00', 'qty'],
    [
      'less than the coin’s least quantity',
      { ...coin, qty: '0.0002', limit_price: '90000.00', reference_price: '90000.00' },
      'orders from 0.0003 ETH, but this one is for 0.0002 ETH',
      'qty',
    ],
  ])('%s', (_, changes, text, field) => {
    expect(objection(changes)).toMatchObject({ text: expect.stringContaining(text), field });
  });

  it.each<[string, Changes]>([
    ['two dollars', dollars('2.00')],
    ['a whole share that costs less', { qty: '1', limit_price: '0.50', reference_price: '0.50' }],
    ['a sale of what is left of a position', { side: 'sell', qty: '0.001' }],
    ['enough of a coin', { ...coin, qty: '0.004', ...cheap }],
  ])('%s is not', (_, changes) => {
    expect(objection(changes)).toBeNull();
  });
});
