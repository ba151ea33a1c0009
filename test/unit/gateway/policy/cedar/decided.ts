import type { DecisionFacts, DecisionSubject, OrderFacts } from '../../../../../src/gateway/policy/decision.ts';

/** Alice's own purchase of ten shares for $1,000, approved by her tap. */
export const alice: DecisionSubject = {
  sub: 'alice',
  client: 'agent',
  owner: 'alice',
  approval: 'tap',
  approvers: ['alice'],
};

export const anOrder: OrderFacts = {
  symbol: 'AAPL',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  extended_hours: false,
  qty: '10',
  limit_price: '100',
  stop_price: null,
  reference_price: '100',
  max_slippage: '0.01',
  notional: '1000.00',
  shares: '10',
};

/** At ten o'clock in New York, on the Wednesday before Thanksgiving 2026. */
export const facts: DecisionFacts = {
  at: '2026-11-25T15:00:00Z',
  account: 'PA1',
  environment: 'paper',
  order: anOrder,
  market: {
    at: '2026-11-25T15:00:00Z',
    is_open: true,
    next_open: '2026-11-27T14:30:00Z',
    session: '2026-11-25',
    bid: '99.99',
    ask: '100.01',
    last: '100',
    quoted_at: '2026-11-25T14:59:59Z',
  },
  broker: { trading_blocked: false, tradable: true, fractionable: true, objection: null },
  holdings: {
    equity: '100000',
    last_equity: '101000.5',
    day_flow: '0',
    qty: '5',
    value: '500',
    open_elsewhere: { orders: 0, symbol_notional: '0', symbol_sells: '0', opposes: false },
  },
  counted: {
    state: 'active',
    day_notional: '250.00',
    day_orders: 2,
    last_minute: 1,
    open_orders: 0,
    open_symbol_notional: '0',
    open_symbol_sells: '0',
    same_before: null,
    opposes_open: false,
  },
  more: {},
};

/** @param order changed */
export function withOrder(order: Partial<OrderFacts>, changes: Partial<DecisionFacts> = {}): DecisionFacts {
  return { ...facts, ...changes, order: { ...anOrder, ...order } };
}
