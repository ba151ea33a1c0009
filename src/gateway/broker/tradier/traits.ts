import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits } from '../broker-traits.ts';

const none = { types: [], timesInForce: [] } as const;
const stands = ['day', 'gtc'] as const;

export const tradierTerms: OrderTerms = {
  timesInForce: { market: stands, limit: stands, stop: stands, stop_limit: stands },
  fractions: { ...none, decimals: 0 },
  amounts: none,
  classes: {},
  // "pre" and "post" are separate sessions, not a day order with extended hours.
  extendedHours: none,
  ticks: usTicks,
};

/**
 * Tradier's traits, from "Place an Equity Order": order types market, limit, stop and stop_limit, time in force day and
 * gtc, whole shares only. The client_order_id is sent as the `tag`. A tag need not be unique, and only the list of the
 * session's orders contains it.
 * "Modify an Order" changes an order in place.
 */
export const tradierTraits: BrokerTraits & {
  readonly lacks: readonly ['portfolioHistory', 'news', 'corporateActions', 'assets'];
} = {
  label: 'Tradier',
  orders: { us_equity: tradierTerms },
  clientOrderId: { takenOnce: false, lookedUp: 'while_listed' },
  replaces: undefined,
  lacks: ['portfolioHistory', 'news', 'corporateActions', 'assets'],
  dayFlows: 'left_out',
};
