import type { ApprovalViewOf, RunResult } from '../../../src/agent/events.ts';
import type { Order } from '../../../src/trading/views.ts';

/** 2026-01-30T14:30:00Z, a Friday half an hour after the open. */
export const NOW = Date.UTC(2026, 0, 30, 14, 30, 0);

export const approval: ApprovalViewOf<'order'> = {
  id: 'pr_k7qp2m4x',
  thread: 'th_1',
  kind: 'order',
  status: 'requested',
  code: 'K7QP',
  expires_at: '2026-01-30T14:35:00Z',
  environment: 'paper',
  order: {
    account: 'PA3ALICE01',
    environment: 'paper',
    symbol: 'AAPL',
    side: 'buy',
    qty: '5',
    type: 'limit',
    time_in_force: 'day',
    limit_price: '180.00',
    extended_hours: false,
    reference_price: '179.50',
    max_slippage: '0.01',
    max_fees: '0',
    client_order_id: 'ta-abcdefgh',
    expires_at: '2026-01-30T14:35:00Z',
  },
  reason: undefined,
  worst_case: { cash: '900.00', price: '180.00', text: 'costs at most $900.00' },
  warnings: [],
  requested_by: 'chat',
  client: 'trade-agent',
  placed: undefined,
};

export const order: Order = {
  id: 'order-1',
  client_order_id: 'ta-abcdefgh',
  symbol: 'AAPL',
  side: 'buy',
  type: 'limit',
  time_in_force: 'day',
  qty: '5',
  notional: null,
  limit_price: '180.00',
  stop_price: null,
  trail_price: null,
  trail_percent: null,
  extended_hours: false,
  status: 'filled',
  filled_qty: '5',
  filled_avg_price: '179.51',
  submitted_at: '2026-01-30T14:30:10Z',
  filled_at: '2026-01-30T14:30:10Z',
};

export const executed: ApprovalViewOf<'order'> = { ...approval, status: 'executed', placed: order };

export const doneResult: RunResult = {
  thread: 'th_1',
  status: 'done',
  text: 'Bought 5 AAPL.',
  data: [{ tool: 'get_portfolio', content: { positions: [] } }],
  orders: [order],
  messages: [],
  approvals: [executed],
  connections: [],
  usage: { model: 'built-in planner', input_tokens: 0, output_tokens: 0 },
};

export const messageApproval: ApprovalViewOf<'message'> = {
  id: 'pr_m7qp2m4x',
  thread: 'th_1',
  kind: 'message',
  status: 'requested',
  code: 'M7QP',
  expires_at: '2026-01-30T14:35:00Z',
  message: {
    service: 'slack',
    recipient: '#trading',
    text: 'Equity $1.00\nAAPL: 5',
    client_message_id: 'ta-abcdefgh',
    expires_at: '2026-01-30T14:35:00Z',
  },
  reason: undefined,
  worst_case: null,
  warnings: [],
  requested_by: null,
  client: 'trade-agent',
  sent: undefined,
};
