import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { OrderType } from '../../../trading/order-types.ts';
import type { BrokerTraits, OptionalFeature } from '../broker-traits.ts';

/** Interactive Brokers' names: `sent` with an order (absent if not supported), `told` in the order list. */
export const ibkrOrderTypes: Partial<Readonly<Record<OrderType, { readonly sent?: string; readonly told: string }>>> = {
  market: { sent: 'MKT', told: 'Market' },
  limit: { sent: 'LMT', told: 'Limit' },
  stop: { sent: 'STP', told: 'Stop' },
  stop_limit: { sent: 'STOP_LIMIT', told: 'Stop Limit' },
  trailing_stop: { told: 'Trailing Stop' },
};

const none = { types: [], timesInForce: [] } as const;
const atOnceToo = ['day', 'gtc', 'opg', 'ioc'] as const;
const stands = ['day', 'gtc'] as const;

/**
 * Terms of "Orders": MKT, LMT, STP, STOP_LIMIT; DAY, GTC, OPG, IOC; `outsideRTH`. Cash quantities are "non-guaranteed".
 */
export const ibkrTerms: OrderTerms = {
  timesInForce: { market: atOnceToo, limit: atOnceToo, stop: stands, stop_limit: stands },
  fractions: { ...none, decimals: 0 },
  amounts: none,
  extendedHours: { types: ['limit'], timesInForce: stands },
  classes: {},
  ticks: usTicks,
};

export const ibkrLacks = [
  'activities',
  'portfolioHistory',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const satisfies readonly OptionalFeature[];

/**
 * Traits by the Client Portal Web API (ibkrcampus.com). `cOID` "must be unique for a 24h span", so it can be used again
 * later. It is only in the list of the session's orders (`order_ref`). "Modify order" changes an order in place and
 * keeps its ID.
 */
export const ibkrTraits: BrokerTraits = {
  label: 'Interactive Brokers',
  orders: { us_equity: ibkrTerms },
  clientOrderId: { takenOnce: false, lookedUp: 'while_listed' },
  replaces: undefined,
  lacks: ibkrLacks,
  dayFlows: 'left_out',
};
