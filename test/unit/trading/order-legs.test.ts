import { describe, expect, it } from 'vitest';
import { describeOpenOrder, openOrderFields, toOrderRequest } from '../../../src/trading/open-order.ts';
import { activeExits, exitPrices, fillableLegs, isMultiLeg } from '../../../src/trading/order-legs.ts';
import { openOrderHeadline } from '../../../src/trading/order-words.ts';
import { protectsPosition } from '../../../src/trading/protects.ts';
import { type Order, type OrderLeg, orderSchema } from '../../../src/trading/views.ts';
import { anOrder, aPosition } from '../../fixtures/builders.ts';

const leg = (changes: Partial<OrderLeg>): OrderLeg =>
  anOrder({ id: 'leg', side: 'sell', limit_price: null, status: 'held', ...changes });
const profit = leg({ id: 'profit', limit_price: '200.00', order_class: 'bracket' });
const stop = leg({ id: 'stop', type: 'stop_limit', stop_price: '170.00', limit_price: '168.30' });
const bracket = (changes: Partial<Order> = {}): Order =>
  orderSchema.parse({
    ...leg({ id: 'entry', side: 'buy', limit_price: '180.00', status: 'new' }),
    order_class: 'bracket',
    legs: [profit, stop],
    ...changes,
  });
const oco = orderSchema.parse({
  ...leg({ limit_price: '200.00', status: 'new' }),
  order_class: 'oco',
  legs: [stop],
});
const spread = orderSchema.parse({
  ...leg({ symbol: 'A + B', side: '', qty: '2', limit_price: '1.20', status: 'new' }),
  order_class: 'mleg',
  legs: [
    leg({ symbol: 'AAPL261218C00190000', side: 'buy', qty: '2', status: 'new' }),
    leg({ symbol: 'AAPL261218C00200000', qty: '2', status: 'new' }),
  ],
});
const held = [aPosition({ qty: '5' })];

describe('the exits of an order at the broker', () => {
  it('are told by the names that they are proposed with', () => {
    const prices = { stop_loss_stop_price: '170.00', stop_loss_limit_price: '168.30' };
    expect(exitPrices(bracket())).toEqual({ take_profit_limit_price: '200.00', ...prices });
    expect(exitPrices(oco)).toEqual({ take_profit_limit_price: '200.00', ...prices });
    expect(exitPrices(bracket({ order_class: 'oto', legs: [stop] }))).toEqual(prices);
    const takes = exitPrices(bracket({ order_class: 'oto', legs: [profit] }));
    expect(takes).toEqual({ take_profit_limit_price: '200.00' });
    expect(exitPrices(spread)).toEqual({});
  });

  it('are in its shorthand, and in its headline', () => {
    expect(describeOpenOrder(bracket())).toBe('BUY 5 AAPL LMT 180.00 TP 200.00 SL 170.00 SLL 168.30 BRACKET');
    expect(describeOpenOrder(oco)).toBe('SELL 5 AAPL TP 200.00 SL 170.00 SLL 168.30 OCO');
    const exits = 'take profit $200.00, stop loss $170.00 limit $168.30';
    expect(openOrderHeadline(bracket())).toBe(`BUY 5 AAPL, limit $180.00, ${exits}`);
    expect(openOrderHeadline(oco)).toBe(`SELL 5 AAPL, ${exits}`);
  });

  it('are on the card of whoever cancels it, and nothing of it is without words', () => {
    const fields = openOrderFields(bracket({ asset_class: 'us_equity' }));
    const text = Object.fromEntries(fields.map((field) => [field.label, field.text]));
    expect(text).toMatchObject({
      'Open order: Take profit at': '$200.00 a share',
      'Open order: Stop loss at': '$170.00 a share',
      'Open order: Stop loss limit': '$168.30 a share',
      'Open order: Exits': 'Bracket (entry, take profit, stop loss)',
    });
    expect(fields.filter(({ label }) => label.includes('_'))).toEqual([]);
  });

  it('stand only once the entry is over, and then one for both', () => {
    expect(fillableLegs(bracket()).map(({ id }) => id)).toEqual(['entry']);
    const after = bracket({ status: 'filled', filled_qty: '5', legs: [{ ...profit, status: 'new' }, stop] });
    expect(fillableLegs(after)).toHaveLength(1);
    const filled = { ...profit, status: 'filled' };
    expect(fillableLegs({ ...after, legs: [filled, { ...stop, status: 'canceled' }] })).toEqual([]);
    expect(fillableLegs(leg({ status: 'done_for_day' }))).toHaveLength(1);
  });

  it('protect what an entry has bought, in part at least, and nothing before', () => {
    expect(protectsPosition(bracket(), held)).toBe(false);
    expect(protectsPosition(bracket({ status: 'partially_filled', filled_qty: '2' }), held)).toBe(true);
    expect(protectsPosition(bracket({ status: 'filled', filled_qty: '5' }), held)).toBe(true);
    expect(protectsPosition(oco, held)).toBe(true);
    expect(activeExits(oco)).toHaveLength(1);
  });
});

describe('an order of several legs', () => {
  it('is shown with each of them, and counted with each', () => {
    expect(isMultiLeg(spread)).toBe(true);
    expect(fillableLegs(spread).map(({ symbol }) => symbol.slice(-8))).toEqual(['00190000', '00200000']);
    expect(openOrderHeadline(spread)).toBe(
      'mleg: BUY 2 AAPL Dec 18 2026 $190 call; SELL 2 AAPL Dec 18 2026 $200 call, limit $1.20',
    );
  });

  it('of a class that nobody here knows is one too', () => {
    expect(isMultiLeg(bracket({ order_class: 'ladder' }))).toBe(true);
    expect(fillableLegs(bracket({ order_class: 'ladder' }))).toHaveLength(2);
  });

  it('is never asked for', () => {
    expect(() => toOrderRequest(spread)).toThrow(expect.objectContaining({ code: 'invalid_order' }));
  });
});

describe('words that nobody here knows', () => {
  const words = { side: 'sell_short', type: 'pegged', status: 'frozen', time_in_force: 'gtd' };
  const strange = orderSchema.parse(leg({ ...words, order_class: 'ladder' }));

  it('are read and shown as they are', () => {
    expect(openOrderHeadline(strange)).toBe('SELL_SHORT 5 AAPL, pegged');
    expect(describeOpenOrder(strange)).toContain('SELL_SHORT 5 AAPL');
  });

  it('are proposed by nobody', () => {
    expect(() => toOrderRequest(strange)).toThrow('has terms that trade-agent can display but not propose');
  });

  it('protect what is held, as far as anybody can tell', () => {
    expect(protectsPosition(strange, held)).toBe(true);
  });
});
