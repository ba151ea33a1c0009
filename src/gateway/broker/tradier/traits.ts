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
  // "pre" and "post" are sessions of their own, not the day with its extended hours.
  extendedHours: none,
  ticks: usTicks,
};

/**
 * Tradier (Brokerage API, "Place an Equity Order": type market, limit, stop, stop_limit; duration day, gtc, pre, post;
 * "in whole numbers"). The client_order_id goes out as `tag`, which Tradier does not hold to be unique, and by which it
 * looks nothing up: it stands in the list of orders, which has those of the day's session. "Modify an Order" changes an
 * order in place, under the id and tag it has, so that there is no replacing one by another.
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
