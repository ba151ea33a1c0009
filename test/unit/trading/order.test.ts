import { describe, expect, it } from 'vitest';
import {
  checkOrder,
  describeOrder,
  normalizeOrder,
  type OrderDraft,
  type OrderRequestInput,
  orderDraftSchema,
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
const stop = { type: 'stop', stop_price: '180' } as const;
const stopLimit = { type: 'stop_limit', stop_price: '180', limit_price: '181' } as const;
const trailing = { type: 'trailing_stop', trail_percent: '2' } as const;
const draft: OrderDraft = {
  account: 'PA3ALICE01',
  environment: 'paper',
  ...buy,
  type: 'market',
  time_in_force: 'day',
  extended_hours: false,
  reference_price: '250.00',
  max_slippage: '0.01',
  client_order_id: 'ta-00000001',
  expires_at: '2026-11-24T15:00:00Z',
};

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

  it.each(['AAPL; DROP', '', 'A'.repeat(30), '123', 'AA PL', '\ufb01', '\u017fo', 'A\ud800'])(
    'refuses the symbol %j',
    (symbol) => {
      expect(orderRequestSchema.safeParse({ ...buy, symbol }).success).toBe(false);
    },
  );

  it('takes no letter for the one of ASCII that it becomes in capitals or in small letters', () => {
    const alike: string[] = [];
    for (let point = 0x80; point <= 0x1ffff; point++) {
      const letter = String.fromCodePoint(point);
      if (/[A-Za-z]/.test(letter.toUpperCase() + letter.toLowerCase() + letter.normalize('NFKC')))
        alike.push(letter);
    }
    expect(alike).toEqual(expect.arrayContaining(['ı', 'ſ', '\u212a', 'ﬁ', 'Ａ', '𝐀']));
    for (const letter of alike) expect(() => parse({ ...buy, symbol: `A${letter}` })).toThrow();
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
    ['a trail of everything', { ...buy, type: 'trailing_stop', trail_percent: '100' }, 'trail_percent'],
    ['a market order at the open', { ...buy, time_in_force: 'opg' }, 'type'],
    ['a market order at the close', { ...buy, time_in_force: 'cls' }, 'type'],
    ['a stop at the open', { ...buy, ...stop, time_in_force: 'opg' }, 'type'],
    ['a stop at the close', { ...buy, ...stop, time_in_force: 'cls' }, 'type'],
    ['a stop at once', { ...buy, ...stop, time_in_force: 'ioc' }, 'time_in_force'],
    ['a stop at once and whole', { ...buy, ...stop, time_in_force: 'fok' }, 'time_in_force'],
    ['a stop_limit at the open', { ...buy, ...stopLimit, time_in_force: 'opg' }, 'type'],
    ['a stop_limit at the close', { ...buy, ...stopLimit, time_in_force: 'cls' }, 'type'],
    ['a stop_limit at once', { ...buy, ...stopLimit, time_in_force: 'ioc' }, 'time_in_force'],
    ['a stop_limit at once and whole', { ...buy, ...stopLimit, time_in_force: 'fok' }, 'time_in_force'],
    ['a trailing stop at the open', { ...buy, ...trailing, time_in_force: 'opg' }, 'type'],
    ['a trailing stop at the close', { ...buy, ...trailing, time_in_force: 'cls' }, 'type'],
    ['a trailing stop at once', { ...buy, ...trailing, time_in_force: 'ioc' }, 'time_in_force'],
    ['a trailing stop at once and whole', { ...buy, ...trailing, time_in_force: 'fok' }, 'time_in_force'],
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

describe('an order draft', () => {
  it.each([
    ['no account', { account: '' }],
    ['an account in other letters', { account: 'PA3ÄLICE' }],
    ['an account of a lone surrogate', { account: 'PA3\ud800' }],
    ['an account with a line break', { account: 'PA3\nALICE' }],
    ['a symbol of a lone surrogate', { symbol: '\ud800' }],
    ['a client_order_id of a lone surrogate', { client_order_id: 'ta-000000\udfff' }],
    ['a slippage above the largest', { max_slippage: '0.1001' }],
    ['no slippage', { max_slippage: '0' }],
  ])('refuses %s', (_, changes) => {
    expect(orderDraftSchema.safeParse({ ...draft, ...changes }).success).toBe(false);
  });

  it('may move by the largest slippage', () => {
    expect(orderDraftSchema.safeParse({ ...draft, max_slippage: '0.10' }).success).toBe(true);
  });

  it('refuses a reference price off the tick, from which no bound can be counted', () => {
    expect(() => checkOrder({ ...draft, reference_price: '250.005' })).toThrow('off the tick');
  });

  it.each([
    ['market', {}, '252.50'],
    ['stop', { ...stop, side: 'sell' }, '178.20'],
  ] as const)('names the limit that would do where a %s order asks for an auction', (_, changes, limit) => {
    expect(() => checkOrder({ ...draft, time_in_force: 'opg', ...changes })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(`${limit} would do`) }),
    );
  });

  it('has no canonical form with a field that is not in the table, a price say', () => {
    const more = { ...draft, take_profit_price: '300.00' };
    expect(() => normalizeOrder(more)).toThrow('an order has no field "take_profit_price"');
    for (const field of ['__proto__', 'constructor']) {
      expect(() => normalizeOrder(JSON.parse(`{"${field}": "1"}`))).toThrow('an order has no field');
    }
  });

  it('knows the form of every field that an order may have', () => {
    const fields = Object.keys(orderDraftSchema.unwrap().shape);
    const whole = Object.fromEntries(fields.map((field) => [field, '1.0']));
    const prices = ['limit_price', 'stop_price', 'trail_price', 'reference_price'];
    const amounts = ['qty', 'notional', 'trail_percent', 'max_slippage'];
    for (const [field, text] of Object.entries(normalizeOrder(whole as unknown as OrderDraft))) {
      expect([field, text]).toEqual([
        field,
        prices.includes(field) ? '1.00' : amounts.includes(field) ? '1' : '1.0',
      ]);
    }
  });
});
