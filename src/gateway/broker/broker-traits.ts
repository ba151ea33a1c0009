import type { Rate } from '../../store/rate-buckets.ts';
import type { TermsByClass } from '../../trading/order-terms.ts';

/** What a broker may have no API for (`notOffered`). What checks depend on, no broker may lack. */
const lackable = [
  'bars',
  'activities',
  'portfolioHistory',
  'news',
  'corporateActions',
  'watchlist',
  'assets',
] as const;
export type Lackable = (typeof lackable)[number];

/** How a broker differs from others, as plain data. The contract test checks each broker against its traits. */
export interface BrokerTraits {
  readonly label: string;
  /** By asset class; absent: not traded. Orders are checked in the form in which they are sent (`boundedOrder`). */
  readonly orders: TermsByClass;
  readonly clientOrderId: {
    /**
     * Whether an id is taken only once, even after its order is over. If not, a lost answer is never followed by another
     * send.
     */
    readonly takenOnce: boolean;
    /**
     * Whether orders are found by it. `for_good`: always. `while_listed`: only among the day's orders, so a hit proves that
     * the order was taken, and a miss proves nothing. `never`: a lost answer stays lost until the person has looked.
     */
    readonly lookedUp: 'for_good' | 'while_listed' | 'never';
  };
  /** Which open orders it can replace; undefined for none. */
  readonly replaces:
    | {
        /** Whether fractional quantities can be replaced. */
        readonly fractions: boolean;
      }
    | undefined;
  readonly lacks: readonly Lackable[];
  /**
   * Deposits and withdrawals since the last close, not part of the day's loss. `told`: among the activities, and the
   * account has `last_equity_on`. `left_out`: not in `last_equity`. `untold`: unknown, so a limit on the day's loss blocks
   * purchases.
   */
  readonly dayFlows: 'told' | 'left_out' | 'untold';
  /** Whether it pushes order updates (`tradeUpdates` of `Broker`); otherwise it is polled. */
  readonly tellsUpdates?: boolean;
  /** The documented number of requests for one account at its own addresses. */
  readonly accountRate?: Rate;
}
