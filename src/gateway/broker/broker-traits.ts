import type { Rate } from '../../store/rate-buckets.ts';
import type { TermsByClass } from '../../trading/order-terms.ts';

/** Features that a broker may lack (`notOffered`). Features that checks depend on are not in this list. */
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

/** How a broker differs from others, as plain data. The contract test checks each broker against its traits. */
export interface BrokerTraits {
  readonly label: string;
  /** By asset class; a missing class is not traded. Orders are checked in the form that is sent (`boundedOrder`). */
  readonly orders: TermsByClass;
  readonly clientOrderId: {
    /**
     * Whether an id is accepted only once, even after its order is done. If not, an order is never sent again after a lost
     * answer.
     */
    readonly takenOnce: boolean;
    /**
     * Whether orders can be looked up by it. `for_good`: always. `while_listed`: only among the day's orders, so a hit
     * proves acceptance and a miss proves nothing. `never`: a lost answer stays unknown until the person checks.
     */
    readonly lookedUp: 'for_good' | 'while_listed' | 'never';
  };
  /** Which open orders the broker can replace; undefined if none. */
  readonly replaces:
    | {
        /** Whether fractional quantities can be replaced. */
        readonly fractions: boolean;
      }
    | undefined;
  readonly lacks: readonly OptionalFeature[];
  /**
   * How deposits and withdrawals since the last close are kept out of the day's loss. `told`: they are among the
   * activities, and the account has `last_equity_on`. `left_out`: they are not in `last_equity`. `untold`: unknown, so a
   * limit on the day's loss blocks purchases.
   */
  readonly dayFlows: 'told' | 'left_out' | 'untold';
  /** Whether the broker pushes order updates (`tradeUpdates` of `Broker`). Otherwise it is polled. */
  readonly pushesUpdates?: boolean;
  /** The documented request rate for one account at the broker's own addresses. */
  readonly accountRate?: Rate;
}
