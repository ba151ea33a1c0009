import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import { commonTerms, type OrderTerms } from '../../../trading/order-terms.ts';
import { type OrderType, orderTypes } from '../../../trading/order-types.ts';
import type { BrokerTraits } from '../broker-traits.ts';

/** Alpaca's names for the order types that it supports. */
export const alpacaTypes: Partial<Readonly<Record<OrderType, trading.OrderType>>> = {
  market: 'market',
  limit: 'limit',
  stop: 'stop',
  stop_limit: 'stop_limit',
  trailing_stop: 'trailing_stop',
};

function taken(terms: OrderTerms): OrderTerms {
  const types = orderTypes.filter((type) => alpacaTypes[type] !== undefined);
  const timesInForce = Object.fromEntries(types.map((type) => [type, terms.timesInForce[type] ?? []]));
  return { ...terms, timesInForce };
}

const crypto = taken(commonTerms.crypto);

/** Trading API v2: "Placing Orders", "Crypto Trading", "Options Trading", and the OpenAPI contract. */
export const alpacaTraits: BrokerTraits = {
  label: 'Alpaca',
  orders: {
    us_equity: taken(commonTerms.us_equity),
    us_option: taken(commonTerms.us_option),
    // As with shares, an order that waits for its stop can't be immediate.
    crypto: { ...crypto, timesInForce: { ...crypto.timesInForce, stop_limit: ['gtc'] } },
  },
  clientOrderId: { takenOnce: true, lookedUp: 'for_good' },
  replaces: { fractions: false },
  lacks: [],
  dayFlows: 'told',
  pushesUpdates: true,
  // Alpaca allows 200 requests a minute per account, and as many for prices, which are on another host.
  accountRate: { perSecond: 100 / 60, burst: 100 },
};
