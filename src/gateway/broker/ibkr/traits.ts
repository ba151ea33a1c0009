import { feeSchedules } from '../../../trading/broker-fees.ts';
import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { OrderType } from '../../../trading/order-types.ts';
import type { BrokerTraits, OptionalFeature } from '../broker-traits.ts';

/** Names of each order type: `sent` in an order's request (absent if never sent), `listed` in the order list. */
export const ibkrOrderTypes: Partial<Readonly<Record<OrderType, { readonly sent?: string; readonly listed: string }>>> =
  {
    market: { sent: 'MKT', listed: 'Market' },
    limit: { sent: 'LMT', listed: 'Limit' },
    stop: { sent: 'STP', listed: 'Stop' },
    stop_limit: { sent: 'STOP_LIMIT', listed: 'Stop Limit' },
    trailing_stop: { listed: 'Trailing Stop' },
  };

const none = { types: [], timesInForce: [] } as const;
const atOnceToo = ['day', 'gtc', 'opg', 'ioc'] as const;
const stands = ['day', 'gtc'] as const;

/**
 * Order terms, according to "Orders" in the Web API's documentation. Orders for a dollar amount are not supported,
 * because cash quantities are "non-guaranteed".
 */
export const ibkrTerms: OrderTerms = {
  timesInForce: { market: atOnceToo, limit: atOnceToo, stop: stands, stop_limit: stands },
  fractions: { ...none, decimals: 0 },
  amounts: none,
  extendedHours: { types: ['limit'], timesInForce: stands },
  classes: {},
  ticks: usTicks,
};

export const unsupportedIbkrFeatures = [
  'activities',
  'portfolioHistory',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const satisfies readonly OptionalFeature[];

/**
 * Interactive Brokers' traits, according to the Client Portal Web API (ibkrcampus.com). The client_order_id is sent as
 * `cOID`, which "must be unique for a 24h span" and so can be used again later. Only the list of the current session's
 * orders contains it (`order_ref`). Orders are not replaced, because "Modify order" changes an order in place and keeps
 * its ID.
 */
export const ibkrTraits: BrokerTraits = {
  label: 'Interactive Brokers',
  orders: { us_equity: ibkrTerms },
  clientOrderId: { acceptedOnce: false, lookup: 'while_listed' },
  replaces: undefined,
  lacks: unsupportedIbkrFeatures,
  fees: feeSchedules.ibkr,
  dayFlows: 'excluded',
};
