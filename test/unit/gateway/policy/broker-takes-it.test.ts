import { describe, expect, it } from 'vitest';
import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { BrokerTraits } from '../../../../src/gateway/broker/broker-traits.ts';
import { brokerTakesIt, type PolicyInput } from '../../../../src/gateway/policy/policy.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';

const draft: OrderDraft = {
  account: 'PA3ALICE01',
  environment: 'paper',
  symbol: 'AAPL',
  side: 'buy',
  qty: '5',
  type: 'limit',
  time_in_force: 'day',
  limit_price: '180.00',
  extended_hours: false,
  reference_price: '180.01',
  max_slippage: '0.01',
  client_order_id: 'ta-00000001',
  expires_at: '2026-11-24T15:00:00Z',
};
const none = { types: [], timesInForce: [] };
/** Takes whole shares by limit and stop-limit orders of the day. */
const plain: BrokerTraits = {
  ...alpacaTraits,
  orders: {
    ...alpacaTraits.orders,
    timesInForce: { market: [], limit: ['day'], stop: [], stop_limit: ['day'], trailing_stop: [] },
    fractions: { ...none, decimals: 0 },
    amounts: none,
    extendedHours: none,
    ticks: [{ from: '0', decimals: 2 }],
  },
};
const judged = (changes: Partial<Record<keyof OrderDraft, unknown>>, traits: BrokerTraits): unknown => {
  try {
    return brokerTakesIt({ draft: { ...draft, ...changes }, traits } as PolicyInput);
  } catch (error) {
    return error;
  }
};
const market = { type: 'market', limit_price: undefined };
const stop = { type: 'stop', stop_price: '190.00', limit_price: undefined };

describe('what this broker takes', () => {
  it.each<[string, object]>([
    ['a limit order', {}],
    ['a market order, which goes out as a limit order', market],
    ['a stop, which goes out as a stop-limit', stop],
  ])('%s passes', (_, changes) => {
    expect(judged(changes, plain)).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['a time in force', { time_in_force: 'gtc' }, 'time_in_force'],
    ['a type', { type: 'trailing_stop', limit_price: undefined, trail_percent: '2' }, 'type'],
    ['parts of a share', { qty: '0.5' }, 'qty'],
    ['an amount', { ...market, qty: undefined, notional: '500' }, 'notional'],
    ['extended hours', { extended_hours: true }, 'extended_hours'],
    ['a price off the tick', { limit_price: '0.1234' }, 'limit_price'],
  ])('%s that it does not take is refused, and says what would do', (_, changes, field) => {
    expect(judged(changes, plain)).toMatchObject({
      status: 400,
      code: 'invalid_order',
      options: { fields: [field], hint: expect.stringMatching(/\w/) },
    });
    expect(judged(changes, alpacaTraits)).toBeUndefined();
  });
});
