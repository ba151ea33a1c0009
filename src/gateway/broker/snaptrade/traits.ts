import { usTicks } from '../../../trading/decimal.ts';
import type { OrderTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits, Lackable } from '../broker-traits.ts';

const none = { types: [], timesInForce: [] } as const;
const atOnceToo = ['day', 'gtc', 'ioc', 'fok'] as const;
const stands = ['day', 'gtc'] as const;

/**
 * What every brokerage behind SnapTrade may take. Which of it one does is in no answer of the API: the brokerage refuses the
 * rest, in its words. Parts of a share, amounts and extended hours are for some brokerages alone, so that none are sent.
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
] as const satisfies readonly Lackable[];

/**
 * SnapTrade (docs.snaptrade.com, "Place equity order"; its OpenAPI). `client_order_id` may be sent with an order, and is
 * described nowhere: that it is taken once is not said, and no order tells it back. "Replace order" gives no id of ours
 * either.
 */
export const snaptradeTraits: BrokerTraits = {
  label: 'SnapTrade',
  orders: { us_equity: snaptradeTerms },
  clientOrderId: { takenOnce: false, lookedUp: 'never' },
  replaces: undefined,
  lacks: snaptradeLacks,
  // Its activities are of the nights before.
  dayFlows: 'untold',
};
