import { commonTerms } from '../../../trading/order-terms.ts';
import type { BrokerTraits } from '../broker-traits.ts';

/** Alpaca (Trading API v2, "Placing Orders" and its OpenAPI contract). */
export const alpacaTraits: BrokerTraits = {
  label: 'Alpaca',
  orders: commonTerms,
  clientOrderId: { takenOnce: true, lookedUp: true },
  replaces: { fractions: false },
};
