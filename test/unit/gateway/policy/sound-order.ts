import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { Facts, Subject } from '../../../../src/gateway/policy/decision.ts';
import type { AccountLimits } from '../../../../src/gateway/policy/limits.ts';
import { type OrderWorld, worldFacts } from '../../../../src/gateway/policy/order-world.ts';
import type { Rules } from '../../../../src/gateway/policy/rules.ts';
import type { CountedFacts } from '../../../../src/trading/counted-order.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Order } from '../../../../src/trading/views.ts';

export const NOON = Date.parse('2026-11-24T17:00:00Z');

export const subject: Subject = {
  ...{ sub: 'alice', client: 'trade-agent', owner: 'alice', approval: 'tap' },
  approvers: ['alice'],
};

/** Five AAPL at $180, in a world where nothing stands against it. */
export const draft: OrderDraft = {
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
  expires_at: '2026-11-24T17:05:00Z',
};

/** Changes may leave fields out: `undefined` is none. */
export type Changes = { readonly [Name in keyof OrderDraft]?: OrderDraft[Name] | undefined };

export function changed(changes: Changes): OrderDraft {
  const fields = Object.entries({ ...draft, ...changes }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as OrderDraft;
}

export const world: OrderWorld = {
  account: {
    ...{ account: 'PA3ALICE01', environment: 'paper', status: 'ACTIVE', currency: 'USD', cash: '50000.00' },
    ...{ equity: '100000.00', last_equity: '100000.00', buying_power: '50000.00' },
    ...{ long_market_value: '50000.00', trading_blocked: false, simulated: true },
  },
  traits: alpacaTraits,
  dayFlow: '0',
  positions: [
    {
      ...{ symbol: 'AAPL', side: 'long', qty: '10', qty_available: '10', avg_entry_price: '100.00' },
      ...{ current_price: '180.00', lastday_price: '180.00', market_value: '1800.00', cost_basis: '1000.00' },
      ...{ unrealized_pl: '800.00', unrealized_plpc: '0.8', change_today: '0' },
    },
  ],
  asset: {
    symbol: 'AAPL',
    name: 'Apple Inc.',
    exchange: 'NASDAQ',
    tradable: true,
    fractionable: true,
    shortable: false,
  },
  market: {
    timestamp: '2026-11-24T12:00:00-05:00',
    is_open: true,
    next_open: '2026-11-25T09:30:00-05:00',
    next_close: '2026-11-24T16:00:00-05:00',
  },
  quote: {
    ...{ symbol: 'AAPL', name: null, bid: '179.99', ask: '180.01', last: '180.00', previous_close: '180.00' },
    ...{ at: '2026-11-24T17:00:00Z', simulated: true },
  },
  session: '2026-11-24',
  elsewhere: [],
};

export const nothingCounted: CountedFacts = {
  state: 'active',
  day_notional: '0.00',
  day_orders: 0,
  last_minute: 0,
  open_orders: 0,
  open_symbol_notional: '0.00',
  open_symbol_sells: '0',
  same_before: null,
  opposes_open: false,
};

export interface Circumstances {
  readonly order?: Changes;
  readonly world?: Partial<OrderWorld>;
  readonly counted?: Partial<CountedFacts>;
  readonly replaces?: string;
}

export function factsOf({
  order = {},
  world: other = {},
  counted = {},
  replaces,
}: Circumstances = {}): Facts {
  const asked = { draft: changed(order), replaces };
  return {
    ...worldFacts(asked, { ...world, ...other }, { now: NOON }),
    counted: { ...nothingCounted, ...counted },
  };
}

/** Rules that are nothing but these limits, of every account. */
export const limitedTo = (limits: AccountLimits | undefined, more: Partial<Rules> = {}): Rules => ({
  digest: 'of the rules',
  limitsOf: () => limits,
  cedar: { evaluate: () => ({ forbidden: [] }) },
  ...more,
});

/** An open order for five AAPL that was placed by another way than this gateway. */
export const placedElsewhere = (changes: Partial<Order> = {}): Order => ({
  ...{ id: 'order-1', client_order_id: 'by hand', symbol: 'AAPL', side: 'buy', type: 'limit' },
  ...{ time_in_force: 'gtc', qty: '5', notional: null, limit_price: '180', stop_price: null },
  ...{ trail_price: null, trail_percent: null, extended_hours: false, status: 'new', filled_qty: '0' },
  ...{ filled_avg_price: null, submitted_at: '2026-11-24T16:00:00Z', filled_at: null },
  ...changes,
});
