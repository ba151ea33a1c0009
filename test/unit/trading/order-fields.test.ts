import { describe, expect, it } from 'vitest';
import { matchesApprovedOrder } from '../../../src/gateway/broker/same-order.ts';
import { buildTradeOrderDetails, orderDigest, toCanonicalJson } from '../../../src/trading/approval-details.ts';
import { orderDraftFields } from '../../../src/trading/kinds/order.ts';
import {
  environments,
  type OrderDraft,
  orderDraftSchema,
  orderRequestSchema,
  orderTypes,
  sides,
  timesInForce,
} from '../../../src/trading/order.ts';
import {
  findOrderField,
  legFields,
  type OrderFieldName,
  orderFieldNames,
  priceFields,
  sentFields,
} from '../../../src/trading/order-fields.ts';
import { orderFields as terminalFields } from '../../../src/trading/order-words.ts';
import { type Order, orderSchema } from '../../../src/trading/views.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';

const draft = anOrderDraft({
  side: 'sell',
  type: 'stop_limit',
  time_in_force: 'gtc',
  stop_price: '170.00',
  limit_price: '169.00',
  reference_price: '179.50',
  max_slippage: '0.005',
  client_order_id: 'ta-0123456789abcdef',
  expires_at: '2026-11-25T09:30:00Z',
});

const changed: Readonly<Record<OrderFieldName, Partial<OrderDraft>>> = {
  account: { account: 'PA3BOB0001' },
  environment: { environment: 'live' },
  symbol: { symbol: 'MSFT' },
  side: { side: 'buy' },
  qty: { qty: '6' },
  notional: { notional: '500.00' },
  type: { type: 'limit' },
  time_in_force: { time_in_force: 'day' },
  stop_price: { stop_price: '171.00' },
  limit_price: { limit_price: '168.00' },
  trail_price: { type: 'trailing_stop', trail_price: '2.50' },
  trail_percent: { type: 'trailing_stop', trail_percent: '2' },
  order_class: { order_class: 'oto' },
  take_profit_limit_price: { take_profit_limit_price: '211.00' },
  stop_loss_stop_price: { stop_loss_stop_price: '151.00' },
  stop_loss_limit_price: { stop_loss_limit_price: '148.00' },
  position_intent: { position_intent: 'sell_to_open' },
  extended_hours: { extended_hours: true },
  reference_price: { reference_price: '180.50' },
  max_slippage: { max_slippage: '0.01' },
  max_fees: { max_fees: '0.03' },
  coin_fee: { coin_fee: '0.0025' },
  client_order_id: { client_order_id: 'ta-fedcba9876543210' },
  expires_at: { expires_at: '2026-11-25T09:31:00Z' },
  mandate: { mandate: 'M-x9K2aB7cD1' },
  slot: { slot: '2026-W48' },
};

describe('the table of an order’s fields', () => {
  it('has those that an order may have, and no others', () => {
    expect([...orderFieldNames].sort()).toEqual(Object.keys(orderDraftSchema.unwrap().shape).sort());
    expect(orderFieldNames).toEqual(expect.arrayContaining(Object.keys(orderRequestSchema.shape)));
    expect(findOrderField('profit_price')).toBeUndefined();
    expect(findOrderField('__proto__')).toBeUndefined();
  });

  it('must have a field before a schema or a digest can', () => {
    const shape: Record<OrderFieldName, unknown> = {
      ...changed,
      // @ts-expect-error a price that is not in the table
      profit_price: '300.00',
    };
    expect(Object.keys(shape)).toContain('profit_price');
    const more = { ...draft, profit_price: '300.00' };
    expect(() => toCanonicalJson(more)).toThrow(/profit_price/);
    expect(() => orderDigest(more)).toThrow(/profit_price/);
    expect(() => buildTradeOrderDetails(more, { gateway: 'http://127.0.0.1:1' })).toThrow(/profit_price/);
  });

  it('has a tick for every price, by name', () => {
    expect(priceFields).toEqual(orderFieldNames.filter((name) => name.endsWith('_price')));
  });

  it.each([
    ['side', sides],
    ['type', orderTypes],
    ['time_in_force', timesInForce],
    ['environment', environments],
  ] as const)('has words for every %s', (name, values) => {
    for (const value of values) expect(findOrderField(name)?.shown(value)).not.toBe(value);
  });
});

describe('no field of an order goes unseen:', () => {
  it.each(orderFieldNames)('another %s is shown on the phone', (name) => {
    const texts = (order: OrderDraft) => orderDraftFields(order).map(({ label, text }) => `${label}: ${text}`);
    expect(texts({ ...draft, ...changed[name] })).not.toEqual(texts(draft));
  });

  it.each(orderFieldNames.filter((name) => name !== 'expires_at'))('another %s is shown on the terminal', (name) => {
    const { qty: _, ...byAmount } = draft;
    const base = name === 'notional' ? { ...byAmount, notional: '1.00' } : draft;
    const after: OrderDraft = { ...base, ...changed[name] };
    expect(terminalFields(after)).not.toEqual(terminalFields(base));
  });

  it.each([...sentFields, ...legFields])('another %s at the broker is another order', (name) => {
    const held = (order: OrderDraft): Order => {
      const fields = Object.keys(orderSchema.unwrap().shape);
      const value = (field: string) => [field, order[field as keyof OrderDraft] ?? null];
      const part = Object.fromEntries(fields.map(value));
      const leg = { ...part, stop_price: null, limit_price: null };
      const legs = [
        { ...leg, limit_price: order.take_profit_limit_price },
        { ...leg, stop_price: order.stop_loss_stop_price, limit_price: order.stop_loss_limit_price },
      ];
      return { ...part, legs } as unknown as Order;
    };
    const whole: OrderDraft = {
      ...draft,
      ...{ notional: '1.00', trail_price: '1.00', trail_percent: '1', order_class: 'bracket' },
      ...{
        take_profit_limit_price: '210.00',
        stop_loss_stop_price: '150.00',
        stop_loss_limit_price: '149.00',
      },
      position_intent: 'sell_to_close',
    };
    expect(matchesApprovedOrder(held(whole), whole)).toBe(true);
    expect(matchesApprovedOrder(held({ ...whole, ...changed[name] }), whole)).toBe(false);
  });
});
