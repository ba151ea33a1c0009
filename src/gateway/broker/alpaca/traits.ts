import { commonTerms, type TermsByClass } from '../../../trading/order-terms.ts';
import type { BrokerTraits } from '../broker-traits.ts';

/** As of shares: what waits for its stop can't be for this moment alone. */
const crypto: TermsByClass['crypto'] = {
  ...commonTerms.crypto,
  timesInForce: { ...commonTerms.crypto.timesInForce, stop_limit: ['gtc'] },
};

/** Alpaca (Trading API v2, "Placing Orders", "Crypto Trading", "Options Trading", and its OpenAPI contract). */
export const alpacaTraits: BrokerTraits = {
  label: 'Alpaca',
  orders: { ...commonTerms, crypto },
  clientOrderId: { takenOnce: true, lookedUp: 'for_good' },
  replaces: { fractions: false },
  lacks: [],
  dayFlows: 'told',
  tellsUpdates: true,
  // 200 a minute for each account, and as many for prices, which are at another host.
  accountRate: { perSecond: 100 / 60, burst: 100 },
};
