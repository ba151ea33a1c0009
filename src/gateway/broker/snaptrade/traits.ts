import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits, OptionalFeature } from '../broker-traits.ts';

const none = { types: [], timesInForce: [] } as const;
const atOnceToo = ['day', 'gtc', 'ioc', 'fok'] as const;
const stands = ['day', 'gtc'] as const;

/**
 * Brokerages accept different orders and reject all others, but SnapTrade does not report which. Fractions, amounts and
 * extended hours work only at some brokerages, so they are never sent.
 */
export const snaptradeTerms: OrderTerms = {
  timesInForce: { market: atOnceToo, limit: atOnceToo, stop: stands, stop_limit: stands },
  fractions: { ...none, decimals: 0 },
  amounts: none,
  classes: {},
  extendedHours: none,
  ticks: usTicks,
};

export const snaptradeLacks = [
  'bars',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const satisfies readonly OptionalFeature[];

/**
 * Traits by SnapTrade's OpenAPI ("Place equity order"). `client_order_id` is accepted, but it is not documented as
 * unique, and no order returns it. "Replace order" does not take an ID.
 */
export const snaptradeTraits: BrokerTraits = {
  label: 'SnapTrade',
  orders: { us_equity: snaptradeTerms },
  clientOrderId: { takenOnce: false, lookedUp: 'never' },
  replaces: undefined,
  lacks: snaptradeLacks,
  // Its activities are a day late.
  dayFlows: 'untold',
};
