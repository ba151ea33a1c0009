import { describe, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import { ibkrTraits } from '../../../../src/gateway/broker/ibkr/traits.ts';
import { snaptradeTraits } from '../../../../src/gateway/broker/snaptrade/traits.ts';
import { evaluatePolicy } from '../../../../src/gateway/policy/decide.ts';
import { toUncountedFacts } from '../../../../src/gateway/policy/order-world.ts';
import { type Changes, changed, factsOf, limitedTo, NOON, nothingCounted, subject, world } from './sound-order.ts';

const decided = (traits: typeof ibkrTraits, changes: Changes) => {
  const account = { ...world.account, crypto_active: true };
  const facts = toUncountedFacts({ draft: changed(changes) }, { ...world, account, traits }, { now: NOON });
  return evaluatePolicy(limitedTo(undefined), subject, 'place', {
    ...facts,
    market: factsOf().market,
    counted: nothingCounted,
  });
};
const coins: Changes = { symbol: 'BTC/USD', qty: '0.1', time_in_force: 'gtc' };

describe('fees at the moment that an order is placed', () => {
  it.each<[string, typeof ibkrTraits, Changes]>([
    ['as approved', ibkrTraits, { max_fees: '1.03' }],
    ['lower than approved', ibkrTraits, { max_fees: '1.04' }],
    ['none, and nothing said', alpacaTraits, {}],
    ['unknown, and nothing said', snaptradeTraits, {}],
    ['in coins, as approved', alpacaTraits, { ...coins, max_fees: '0', coin_fee: '0.0025' }],
  ])('%s: it passes', (_, traits, changes) => {
    expect(decided(traits, changes)).toMatchObject({ effect: 'allow' });
  });

  it.each<[string, typeof ibkrTraits, Changes, string]>([
    ['higher than approved', ibkrTraits, { max_fees: '1.02' }, 'the fees can be $1.03, but only $1.02 was approved'],
    ['not approved', ibkrTraits, {}, 'the fees can be $1.03, but no fees were approved'],
    ['claimed, but unknown', snaptradeTraits, { max_fees: '0' }, 'fees are unknown'],
    [
      'in coins, higher than approved',
      alpacaTraits,
      { ...coins, coin_fee: '0.0024' },
      'keeps up to 0.25% of the coins',
    ],
  ])('%s: it is refused', (_, traits, changes, text) => {
    expect(decided(traits, changes)).toMatchObject({
      effect: 'deny',
      reasons: ['FEES_EXCEED_APPROVED'],
      texts: [expect.stringContaining(text)],
    });
  });
});
