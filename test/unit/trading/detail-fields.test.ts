import { describe, expect, it } from 'vitest';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { detailsHeadline, detailsTerms, toDetailFields } from '../../../src/trading/detail-fields.ts';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { anOrderDraft } from '../../fixtures/builders.ts';

const base = anOrderDraft({
  reference_price: '179.50',
  max_slippage: '0.005',
  client_order_id: 'ta-0123456789abcdef',
  expires_at: '2026-11-25T09:30:00Z',
});
const { qty: _, limit_price: __, ...bare } = base;
const details = (draft: OrderDraft) => buildTradeOrderDetails(draft, { gateway: 'http://127.0.0.1:4748' });
const exits = { take_profit_limit_price: '200.00', stop_loss_stop_price: '170.00' };
const held = { ...bare, qty: '5', side: 'sell', type: 'limit', order_class: 'oco' } as const;
const orders: Record<string, OrderDraft> = {
  'a limit order': base,
  'a market order for an amount': { ...bare, type: 'market', notional: '500.00' },
  'a stop order': { ...bare, type: 'stop', qty: '10', side: 'sell', stop_price: '170.00' },
  'a market stop': { ...bare, type: 'stop_market', qty: '10', side: 'sell', stop_price: '170.00' },
  'a stop limit order': { ...base, type: 'stop_limit', stop_price: '181.00', time_in_force: 'gtc' },
  'a trailing stop by price': { ...bare, type: 'trailing_stop', qty: '1', trail_price: '2.50' },
  'a trailing stop by percent': { ...bare, type: 'trailing_stop', qty: '1', trail_percent: '5' },
  'an order in extended hours': { ...base, extended_hours: true },
  'a bracket': { ...base, order_class: 'bracket', ...exits },
  'the exits of what is held': { ...held, ...exits, stop_loss_limit_price: '169.50' },
  'an option': {
    ...base,
    symbol: 'AAPL261218C00190000',
    limit_price: '2.50',
    position_intent: 'buy_to_open',
  },
};

describe('the fields of an order on the phone', () => {
  for (const [what, draft] of Object.entries(orders)) {
    it(`are all there for ${what}, each with a text of its own`, () => {
      const approved = details(draft);
      const fields = toDetailFields(approved);
      expect(fields.map(({ name }) => name).sort()).toEqual(Object.keys(approved).sort());
      for (const { name, label, text } of fields) {
        expect(label, name).not.toBe('');
        expect(text, name).not.toBe('');
      }
    });
  }

  it('show one the page has no name for under its own, first and in plain sight', () => {
    const [first] = toDetailFields({ ...details(base), withdraw_to: { iban: 'XX00' } });
    const told = { label: 'withdraw_to', text: '{"iban":"XX00"}', technical: false };
    expect(first).toEqual({ name: 'withdraw_to', ...told });
  });

  it('show a value they have no word for as it is', () => {
    const fields = toDetailFields({ ...details(base), side: 'short', environment: 'constructor' });
    expect(fields.find(({ name }) => name === 'side')?.text).toBe('short');
    expect(fields.find(({ name }) => name === 'environment')?.text).toBe('constructor');
  });

  it('read as a person would say them', () => {
    const text = Object.fromEntries(toDetailFields(details(base)).map((field) => [field.name, field.text]));
    expect(text).toMatchObject({
      side: 'Buy',
      qty: '5 shares',
      limit_price: '$180.00 a share',
      max_slippage: '0.5%',
      extended_hours: 'No',
      environment: 'PAPER (simulated)',
      expires_at: '2026-11-25 09:30:00 UTC',
    });
  });
});

describe('the headline and the terms', () => {
  const cases: [string, string, string][] = [
    ['a limit order', 'Buy 5 AAPL', 'Limit order at $180.00 · Day'],
    ['a market order for an amount', 'Buy $500.00 of AAPL', 'Market order · Day'],
    ['a stop order', 'Sell 10 AAPL', 'Stop order at $170.00 · Day'],
    ['a stop limit order', 'Buy 5 AAPL', 'Stop limit order: stop $181.00, limit $180.00 · Good till canceled'],
    ['a market stop', 'Sell 10 AAPL', 'Market stop order at $170.00 · Day'],
    ['a trailing stop by price', 'Buy 1 AAPL', 'Trailing stop order by $2.50 · Day'],
    ['a trailing stop by percent', 'Buy 1 AAPL', 'Trailing stop order by 5% · Day'],
    ['a bracket', 'Buy 5 AAPL', 'Limit order at $180.00 · take profit $200.00 · stop loss $170.00 · Day'],
    ['the exits of what is held', 'Sell 5 AAPL', 'take profit $200.00 · stop loss $170.00 limit $169.50 · Day'],
  ];
  for (const [what, headline, terms] of cases) {
    it(`say what ${what} is`, () => {
      const draft = orders[what];
      if (draft === undefined) throw new Error(what);
      expect(detailsHeadline(details(draft))).toBe(headline);
      expect(detailsTerms(details(draft))).toBe(terms);
    });
  }
});
