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
import { anOrderDraft } from '../../fixtures/builders.ts';

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
const exits = { take_profit_limit_price: '200', stop_loss_stop_price: '170' } as const;
const bracket = { ...buy, order_class: 'bracket', ...exits } as const;
const oco = { ...buy, side: 'sell', type: 'limit', order_class: 'oco', ...exits } as const;
const noProfit = { take_profit_limit_price: undefined };
const takes = { ...bracket, order_class: 'oto', stop_loss_stop_price: undefined } as const;
const high = { stop_loss_limit_price: '171' };
const at = (limit_price: string) => ({ type: 'limit', limit_price }) as const;
const call = { ...buy, symbol: 'AAPL261218C00190000' } as const;
const coin = { ...buy, symbol: 'BTC/USD', qty: '0.00000001', time_in_force: 'gtc' } as const;
const draft = anOrderDraft({ ...buy, type: 'market', reference_price: '250.00' });

describe('an order request', () => {
  it('gets market, day and no extended hours where it does not say otherwise', () => {
    const plain = { type: 'market', time_in_force: 'day', extended_hours: false };
    expect(parse({ ...buy, symbol: ' aapl ' })).toEqual({ ...buy, ...plain });
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
      if (/[A-Za-z]/.test(letter.toUpperCase() + letter.toLowerCase() + letter.normalize('NFKC'))) alike.push(letter);
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
    ['a limit price off the tick', { ...buy, ...at('180.001') }, 'limit_price'],
    ['a sub-dollar price off the tick', { ...buy, ...at('0.12345') }, 'limit_price'],
    ['a trailing stop without a trail', { ...buy, type: 'trailing_stop' }, 'trail_price'],
    ['a trailing stop with two trails', { ...buy, ...trailing, trail_price: '1' }, 'trail_price'],
    ['a trail on a market order', { ...buy, trail_percent: '2' }, 'trail_price'],
    ['a fraction that is not for the day', { ...buy, qty: '0.5', time_in_force: 'gtc' }, 'time_in_force'],
    ['a market order in extended hours', { ...buy, extended_hours: true }, 'extended_hours'],
    ['a trail of everything', { ...buy, type: 'trailing_stop', trail_percent: '100' }, 'trail_percent'],
    ['a market order at the open', { ...buy, time_in_force: 'opg' }, 'type'],
    ['a market order at the close', { ...buy, time_in_force: 'cls' }, 'type'],
    ['a market stop that buys', { ...buy, ...stop, type: 'stop_market' }, 'type'],
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
    ['exits of no class', { ...buy, take_profit_limit_price: '200' }, 'take_profit_limit_price'],
    ['a bracket without its stop', { ...bracket, stop_loss_stop_price: undefined }, 'stop_loss_stop_price'],
    ['a bracket without its profit', { ...bracket, ...noProfit }, 'take_profit_limit_price'],
    ['an oto of both exits', { ...bracket, order_class: 'oto' }, 'stop_loss_stop_price'],
    ['a bracket that sells', { ...bracket, side: 'sell' }, 'side'],
    ['an oco that buys', { ...oco, side: 'buy' }, 'side'],
    ['an oco with a limit of its own', { ...oco, limit_price: '190' }, 'limit_price'],
    ['an oco at the market', { ...oco, type: 'market' }, 'type'],
    ['a bracket on a stop', { ...bracket, ...stop }, 'type'],
    ['a bracket at once', { ...bracket, time_in_force: 'ioc' }, 'time_in_force'],
    ['a bracket for an amount', { ...bracket, qty: undefined, notional: '500' }, 'notional'],
    ['a bracket of parts', { ...bracket, qty: '1.5' }, 'qty'],
    ['a bracket in extended hours', { ...bracket, ...at('180'), extended_hours: true }, 'extended_hours'],
    ['a stop loss above the limit', { ...bracket, ...at('169') }, 'stop_loss_stop_price'],
    ['a take profit below the limit', { ...bracket, ...at('201') }, 'take_profit_limit_price'],
    ['an oco with its stop above its profit', { ...oco, stop_loss_stop_price: '201' }, 'stop_loss_stop_price'],
    ['a stop loss whose limit is above it', { ...bracket, ...high }, 'stop_loss_limit_price'],
    ['a limit to a stop loss that is not there', { ...takes, ...high }, 'stop_loss_stop_price'],
    ['a take profit off the tick', { ...bracket, take_profit_limit_price: '200.001' }, 'take_profit_limit_price'],
    ['an intent for a share', { ...buy, position_intent: 'buy_to_open' }, 'position_intent'],
    ['an intent of the other side', { ...call, position_intent: 'sell_to_open' }, 'position_intent'],
    ['an option with exits', { ...bracket, symbol: 'AAPL261218C00190000' }, 'order_class'],
    ['an option for an amount', { ...call, qty: undefined, notional: '500' }, 'notional'],
    ['a part of a contract', { ...call, qty: '0.5' }, 'qty'],
    ['an option at the open', { ...call, ...at('2'), time_in_force: 'opg' }, 'time_in_force'],
    ['a coin for the day', { ...coin, time_in_force: 'day' }, 'time_in_force'],
    ['a stop on a coin', { ...coin, qty: '1', ...stop }, 'type'],
    ['a coin in extended hours', { ...coin, extended_hours: true }, 'extended_hours'],
    ['a coin to ten decimals', { ...coin, qty: '0.0000000001' }, 'qty'],
  ])('refuses %s, naming the field and what to do', (_what, input, field) => {
    expect(refusal(input)).toMatchObject({
      code: 'invalid_order',
      details: { field },
      hint: expect.stringMatching(/\w/),
    });
  });

  it('says of an option for an amount that it is options which take none', () => {
    expect(refusal({ ...call, qty: undefined, notional: '500' })).toMatchObject({
      message: 'orders in dollars for options are not supported here',
      hint: 'Use a whole number of contracts (qty).',
    });
  });

  it.each<[OrderRequestInput, string]>([
    [buy, 'BUY 5 AAPL MKT'],
    [{ ...buy, type: 'limit', limit_price: '180' }, 'BUY 5 AAPL LMT 180.00'],
    [{ ...buy, side: 'sell', type: 'stop', stop_price: '0.5' }, 'SELL 5 AAPL STP 0.5000'],
    [{ ...buy, ...stopLimit, limit_price: '181.5' }, 'BUY 5 AAPL STP 180.00 LMT 181.50'],
    [{ ...buy, side: 'sell', type: 'trailing_stop', trail_percent: '2.50' }, 'SELL 5 AAPL TRAIL 2.5PCT'],
    [{ symbol: 'AAPL', side: 'buy', notional: '500' }, 'BUY USD 500.00 AAPL MKT'],
    [bracket, 'BUY 5 AAPL MKT TP 200.00 SL 170.00 BRACKET'],
    [
      { ...bracket, ...at('180'), stop_loss_limit_price: '169.5', time_in_force: 'gtc' },
      'BUY 5 AAPL LMT 180.00 TP 200.00 SL 170.00 SLL 169.50 BRACKET',
    ],
    [{ ...bracket, order_class: 'oto', ...noProfit }, 'BUY 5 AAPL MKT SL 170.00 OTO'],
    [takes, 'BUY 5 AAPL MKT TP 200.00 OTO'],
    [oco, 'SELL 5 AAPL TP 200.00 SL 170.00 OCO'],
    [call, 'BUY 5 AAPL261218C00190000 MKT'],
    [{ ...call, ...at('2.5'), time_in_force: 'gtc' }, 'BUY 5 AAPL261218C00190000 LMT 2.50'],
    [coin, 'BUY 0.00000001 BTC/USD MKT'],
    [{ ...coin, symbol: 'SHIB/USD', ...at('0.000012345') }, 'BUY 0.00000001 SHIB/USD LMT 0.000012345'],
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
    expect(() => checkOrder({ ...draft, reference_price: '250.005' })).toThrow('not on a valid tick');
  });

  it.each([
    ['market', {}, '252.50'],
    ['stop', { ...stop, side: 'sell' }, '178.20'],
  ] as const)('names the limit that would do where a %s order asks for an auction', (_, changes, limit) => {
    expect(() => checkOrder({ ...draft, time_in_force: 'opg', ...changes })).toThrow(
      expect.objectContaining({ hint: expect.stringContaining(`such as ${limit}`) }),
    );
  });

  it('has no canonical form with a field that is not in the table, a price say', () => {
    const more = { ...draft, profit_price: '300.00' };
    expect(() => normalizeOrder(more)).toThrow('an order has no field "profit_price"');
    for (const field of ['__proto__', 'constructor']) {
      expect(() => normalizeOrder(JSON.parse(`{"${field}": "1"}`))).toThrow('an order has no field');
    }
  });

  it.each([
    ['a stop loss at the price now', { stop_loss_stop_price: '250.00' }, 'stop_loss_stop_price'],
    ['a take profit at the price now', { take_profit_limit_price: '250.00' }, 'take_profit_limit_price'],
  ])('at the market has no %s', (_, changes, field) => {
    const order = { ...draft, ...bracket, take_profit_limit_price: '300.00', ...changes };
    expect(() => checkOrder(order)).toThrow(expect.objectContaining({ details: { field } }));
  });

  it('of an option says what becomes of the position', () => {
    const option = { ...draft, symbol: 'AAPL261218C00190000', reference_price: '2.50' };
    expect(() => checkOrder(option)).toThrow('needs a position_intent');
    expect(() => checkOrder({ ...option, position_intent: 'buy_to_open' })).not.toThrow();
  });

  it('knows the form of every field that an order may have', () => {
    const fields = Object.keys(orderDraftSchema.unwrap().shape);
    const whole = Object.fromEntries(fields.map((field) => [field, '1.0']));
    const prices = fields.filter((field) => field.endsWith('_price'));
    const amounts = ['qty', 'notional', 'trail_percent', 'max_slippage', 'max_fees', 'coin_fee'];
    for (const [field, text] of Object.entries(normalizeOrder(whole as unknown as OrderDraft))) {
      const form = prices.includes(field) ? '1.00' : amounts.includes(field) ? '1' : '1.0';
      expect(text, field).toBe(form);
    }
  });
});
