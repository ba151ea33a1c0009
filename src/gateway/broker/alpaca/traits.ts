import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import { anyBrokerTerms, type OrderTerms } from '../../../trading/order-terms.ts';
import { type OrderType, orderTypes } from '../../../trading/order-types.ts';
import type { BrokerTraits } from '../broker-traits.ts';

/** Alpaca's names for the order types that it supports. */
export const alpacaOrderTypes: Partial<Readonly<Record<OrderType, trading.OrderType>>> = {
  market: 'market',
  limit: 'limit',
  stop: 'stop',
  stop_limit: 'stop_limit',
  trailing_stop: 'trailing_stop',
};

function taken(terms: OrderTerms): OrderTerms {
  const types = orderTypes.filter((type) => alpacaOrderTypes[type] !== undefined);
  const timesInForce = Object.fromEntries(types.map((type) => [type, terms.timesInForce[type] ?? []]));
  return { ...terms, timesInForce };
}

const crypto = taken(anyBrokerTerms.crypto);

/** Trading API v2: "Placing Orders", "Crypto Trading", "Options Trading", and the OpenAPI contract. */
export const alpacaTraits: BrokerTraits = {
  label: 'Alpaca',
  orders: {
    us_equity: taken(anyBrokerTerms.us_equity),
    us_option: taken(anyBrokerTerms.us_option),
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
