import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits, OptionalFeature } from '../broker-traits.ts';

const none = { types: [], timesInForce: [] } as const;
const atOnceToo = ['day', 'gtc', 'ioc', 'fok'] as const;
const stands = ['day', 'gtc'] as const;

/**
 * SnapTrade does not report which orders a brokerage supports; the brokerage rejects unsupported orders. Fractional
 * orders and orders for a dollar amount or in extended hours are never sent, because only some brokerages support them.
 */
export const snaptradeTerms: OrderTerms = {
  timesInForce: { market: atOnceToo, limit: atOnceToo, stop: stands, stop_limit: stands },
  fractions: { ...none, decimals: 0 },
  amounts: none,
  classes: {},
  extendedHours: none,
  ticks: usTicks,
};

export const unsupportedSnaptradeFeatures = [
  'bars',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const satisfies readonly OptionalFeature[];

/**
 * SnapTrade's traits, according to its OpenAPI document ("Place equity order"). SnapTrade accepts a `client_order_id`,
 * but does not document that it must be unique, and no order contains it. Orders are not replaced, because "Replace
 * order" accepts no new ID.
 */
export const snaptradeTraits: BrokerTraits = {
  label: 'SnapTrade',
  orders: { us_equity: snaptradeTerms },
  clientOrderId: { acceptedOnce: false, lookup: 'never' },
  replaces: undefined,
  lacks: unsupportedSnaptradeFeatures,
  // SnapTrade's activities are a day late.
  dayFlows: 'unknown',
};
