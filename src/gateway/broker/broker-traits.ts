import type { RateLimit } from '../../store/rate-buckets.ts';
import type { TermsByClass } from '../../trading/order-terms.ts';

/** Features that a broker may lack (`notOffered`). Checks don't depend on these features. */
const optionalFeatures = [
  'bars',
  'activities',
  'portfolioHistory',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const;
export type OptionalFeature = (typeof optionalFeatures)[number];

/** How a broker differs from others, as plain data. The contract test checks every broker against its traits. */
export interface BrokerTraits {
  readonly label: string;
  /** By asset class. A missing class is not traded. Orders are checked as they are sent (`boundedOrder`). */
  readonly orders: TermsByClass;
  readonly clientOrderId: {
    /**
     * Whether the broker accepts an ID only once, even after its order is done. If not, an order is never sent again
     * after a lost answer.
     */
    readonly takenOnce: boolean;
    /**
     * Whether orders can be looked up by client_order_id. `for_good`: always. `while_listed`: only among the day's
     * orders, so a hit proves acceptance and a miss proves nothing. `never`: after a lost answer, the outcome stays
     * unknown until the person checks.
     */
    readonly lookedUp: 'for_good' | 'while_listed' | 'never';
  };
  /** Which open orders the broker can replace; undefined if it can't replace any. */
  readonly replaces:
    | {
        /** Whether fractional quantities can be replaced. */
        readonly fractions: boolean;
      }
    | undefined;
  readonly lacks: readonly OptionalFeature[];
  /**
   * How deposits and withdrawals since the last close are excluded from the day's loss. `told`: the broker reports them
   * as activities, and the account has `last_equity_on`. `left_out`: they are not in `last_equity`. `untold`: they are
   * unknown, so a limit on the day's loss blocks purchases.
   */
  readonly dayFlows: 'told' | 'left_out' | 'untold';
  /** Whether the broker pushes order updates (`tradeUpdates` of `Broker`). If not, orders are polled. */
  readonly pushesUpdates?: boolean;
  /** The documented rate limit for one account at the broker's own addresses. */
  readonly accountRate?: RateLimit;
}
