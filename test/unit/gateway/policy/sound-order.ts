import { alpacaTraits } from '../../../../src/gateway/broker/alpaca/traits.ts';
import type { DecisionFacts, DecisionSubject } from '../../../../src/gateway/policy/decision.ts';
import { type BrokerSnapshot, toUncountedFacts } from '../../../../src/gateway/policy/order-world.ts';
import type { AccountLimits, Rules } from '../../../../src/gateway/policy/rules.ts';
import type { CountedTotals } from '../../../../src/trading/counted-order.ts';
import type { Order } from '../../../../src/trading/views.ts';
import { anAccount, anOrder, anOrderDraft, aPosition, aQuote, type OrderChanges } from '../../../fixtures/builders.ts';

export const NOON = Date.parse('2026-11-24T17:00:00Z');

export const subject: DecisionSubject = {
  ...{ sub: 'alice', client: 'trade-agent', owner: 'alice', approval: 'tap' },
  approvers: ['alice'],
};

/** Five AAPL at $180, in a world where nothing stands against it. */
export const draft = anOrderDraft({
  client_order_id: 'ta-00000001',
  expires_at: '2026-11-24T17:05:00Z',
});

export type Changes = OrderChanges;

export const changed = (changes: OrderChanges) => anOrderDraft({ ...draft, ...changes });

export const world: BrokerSnapshot = {
  account: anAccount(),
  traits: alpacaTraits,
  dayFlow: '0',
  positions: [aPosition()],
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
  quote: aQuote(),
  session: '2026-11-24',
  elsewhere: [],
};

export const nothingCounted: CountedTotals = {
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
  readonly order?: OrderChanges;
  readonly world?: Partial<BrokerSnapshot>;
  readonly counted?: Partial<CountedTotals>;
  readonly replaces?: string;
}

export function factsOf({ order = {}, world: other = {}, counted = {}, replaces }: Circumstances = {}): DecisionFacts {
  const asked = { draft: changed(order), replaces };
  return {
    ...toUncountedFacts(asked, { ...world, ...other }, { now: NOON }),
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
export const placedElsewhere = (changes: Partial<Order> = {}) => anOrder({ client_order_id: 'by hand', ...changes });
