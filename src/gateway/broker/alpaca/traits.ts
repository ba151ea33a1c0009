import type { trading } from '@alpacahq/alpaca-trade-api/rest';
import { feeSchedules } from '../../../trading/broker-fees.ts';
import { anyBrokerTerms, type OrderTerms } from '../../../trading/order-terms.ts';
import { type OrderType, orderTypes } from '../../../trading/order-types.ts';
import type { BrokerTraits } from '../broker-traits.ts';

/** The order types that Alpaca supports, and Alpaca's names for them. */
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

/** Sources: "Placing Orders", "Crypto Trading", "Options Trading" and the OpenAPI contract of the Trading API v2. */
export const alpacaTraits: BrokerTraits = {
  label: 'Alpaca',
  orders: {
    // "Fractional Trading": at least $1. "Crypto Trading": at least $10.
    us_equity: { ...taken(anyBrokerTerms.us_equity), minimumDollars: '1' },
    us_option: taken(anyBrokerTerms.us_option),
    // A stop-limit order waits for its stop price, so it can't be immediate.
    crypto: { ...crypto, minimumDollars: '10', timesInForce: { ...crypto.timesInForce, stop_limit: ['gtc'] } },
  },
  clientOrderId: { acceptedOnce: true, lookup: 'for_good' },
  replaces: { fractions: false },
  lacks: [],
  fees: feeSchedules.alpaca,
  dayFlows: 'reported',
  pushesUpdates: true,
  // Alpaca allows 200 requests a minute per account, and another 200 for prices on a different host.
  accountRate: { perSecond: 100 / 60, burst: 100 },
};
