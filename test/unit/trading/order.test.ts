import { describe, expect, it } from 'vitest';
import {
  checkOrder,
  describeOrder,
  normalizeOrder,
  type OrderRequestInput,
  orderRequestSchema,
} from '../../../src/trading/order.ts';

const parse = (input: OrderRequestInput) => orderRequestSchema.parse(input);
const refusal = (input: OrderRequestInput) => {
  try {
    checkOrder(parse(input));
  } catch (error) {
    return error;
  }
  return undefined;
};
const buy = { symbol: 'AAPL', side: 'buy', qty: '5' } as const;

describe('an order request', () => {
  it('gets market, day and no extended hours where it does not say otherwise', () => {
    expect(parse({ symbol: ' aapl ', side: 'buy', qty: '5' })).toEqual({
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
      type: 'market',
      time_in_force: 'day',
      extended_hours: false,
    });
  });

  it.each(['0', '0.0', '-5', '1e5', '+5', '05', ' 5', '5.', '.5', 'NaN', 'Infinity', '', '1,000'])(
    'refuses the quantity %j',
    (qty) => {
      expect(orderRequestSchema.safeParse({ ...buy, qty }).success).toBe(false);
    },
  );

  it.each(['AAPL; DROP', '', 'A'.repeat(30), '123', 'AA PL'])('refuses the symbol %j', (symbol) => {
    expect(orderRequestSchema.safeParse({ ...buy, symbol }).success).toBe(false);
  });

  it('refuses a field it does not know', () => {
    expect(orderRequestSchema.safeParse({ ...buy, leverage: '10' }).success).toBe(false);
  });

  it.each<[string, OrderRequestInput, string]>([
    ['neither quantity nor amount', { symbol: 'AAPL', side: 'buy' }, 'qty'],
    ['both quantity and amount', { ...buy, notional: '100' }, 'qty'],
    ['a quantity beyond the largest', { ...buy, qty: '1000001' }, 'qty'],
    ['an amount beyond the largest', { symbol: 'AAPL', side: 'buy', notional: '100000001' }, 'notional'],
    ['an amount in fractions of a cent', { symbol: 'AAPL', side: 'buy', notional: '10.001' }, 'notional'],
    ['a limit order without its price', { ...buy, type: 'limit' }, 'limit_price'],
    ['a market order with a limit price', { ...buy, limit_price: '180' }, 'limit_price'],
    ['a stop order without its price', { ...buy, type: 'stop' }, 'stop_price'],
    ['a stop_limit order without its stop', { ...buy, type: 'stop_limit', limit_price: '180' }, 'stop_price'],
    ['a limit price off the tick', { ...buy, type: 'limit', limit_price: '180.001' }, 'limit_price'],
    ['a sub-dollar price off the tick', { ...buy, type: 'limit', limit_price: '0.12345' }, 'limit_price'],
    ['a trailing stop without a trail', { ...buy, type: 'trailing_stop' }, 'trail_price'],
    [
      'a trailing stop with two trails',
      { ...buy, type: 'trailing_stop', trail_price: '1', trail_percent: '2' },
      'trail_price',
    ],
    ['a trail on a market order', { ...buy, trail_percent: '2' }, 'trail_price'],
    [
      'a fractional order that is not for the day',
      { ...buy, qty: '0.5', time_in_force: 'gtc' },
      'time_in_force',
    ],
    ['a market order in extended hours', { ...buy, extended_hours: true }, 'extended_hours'],
  ])('refuses %s, naming the field and what to do', (_what, input, field) => {
    expect(refusal(input)).toMatchObject({
      code: 'invalid_order',
      details: { field },
      hint: expect.stringMatching(/\w/),
    });
  });

  it.each<[OrderRequestInput, string]>([
    [buy, 'BUY 5 AAPL MKT'],
    [{ ...buy, type: 'limit', limit_price: '180' }, 'BUY 5 AAPL LMT 180.00'],
    [{ ...buy, side: 'sell', type: 'stop', stop_price: '0.5' }, 'SELL 5 AAPL STP 0.5000'],
    [
      { ...buy, type: 'stop_limit', stop_price: '180', limit_price: '181.5' },
      'BUY 5 AAPL STP 180.00 LMT 181.50',
    ],
    [{ ...buy, side: 'sell', type: 'trailing_stop', trail_percent: '2.50' }, 'SELL 5 AAPL TRAIL 2.5PCT'],
    [{ symbol: 'AAPL', side: 'buy', notional: '500' }, 'BUY USD 500.00 AAPL MKT'],
  ])('is accepted and described in the broker’s shorthand: %j', (input, text) => {
    expect(refusal(input)).toBeUndefined();
    expect(describeOrder(normalizeOrder(parse(input)))).toBe(text);
  });
});
