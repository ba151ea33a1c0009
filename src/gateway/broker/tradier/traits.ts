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
  // Not supported: Tradier's "pre" and "post" orders trade only in those sessions, and not during the day as well.
  extendedHours: none,
  ticks: usTicks,
};

/**
 * Tradier's traits, according to "Place an Equity Order". Tradier supports market, limit, stop and stop_limit orders
 * for whole shares, with time in force day or gtc. The client_order_id is sent as the `tag`, which need not be unique,
 * and which Tradier returns only in the list of the current session's orders. Orders are not replaced, because "Modify
 * an Order" changes an order in place.
 */
export const tradierTraits: BrokerTraits & {
  readonly lacks: readonly ['portfolioHistory', 'news', 'corporateActions', 'assets'];
} = {
  label: 'Tradier',
  orders: { us_equity: tradierTerms },
  clientOrderId: { acceptedOnce: false, lookup: 'while_listed' },
  replaces: undefined,
  lacks: ['portfolioHistory', 'news', 'corporateActions', 'assets'],
  dayFlows: 'excluded',
};
