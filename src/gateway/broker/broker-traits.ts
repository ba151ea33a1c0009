import type { RateLimit } from '../../store/rate-buckets.ts';
import type { FeeSchedule } from '../../trading/broker-fees.ts';
import type { TermsByAssetClass } from '../../trading/order-terms.ts';

/** Features that a broker may lack (`lacks`), because portfolio checks don't need them. */
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
  /** The terms, by asset class, that an order must meet in the form that is sent to the broker (`boundedOrder`). */
  readonly orders: TermsByAssetClass;
  readonly clientOrderId: {
    /**
     * Whether the broker accepts an ID only once, even after the order with this ID is done. If not, an order whose
     * response was lost is never sent again.
     */
    readonly acceptedOnce: boolean;
    /**
     * Whether orders can be looked up by client_order_id. `for_good`: at any time. `while_listed`: only among the day's
     * orders, so finding the order proves that it was accepted, but not finding it proves nothing. `never`: if the
     * response to an order is lost, the outcome stays unknown until the person checks it at the broker.
     */
    readonly lookup: 'for_good' | 'while_listed' | 'never';
  };
  /** Which open orders the broker can replace; undefined if it can't replace any. */
  readonly replaces:
    | {
        /** Whether fractional quantities can be replaced. */
        readonly fractions: boolean;
      }
    | undefined;
  readonly lacks: readonly OptionalFeature[];
  /** The broker's fees; undefined if they are unknown. */
  readonly fees?: FeeSchedule;
  /**
   * How deposits and withdrawals since the last close are excluded from the day's loss. `reported`: the broker reports
   * them as activities, and the account has `last_equity_on`. `excluded`: `last_equity` is calculated so that they have
   * no effect. `unknown`: the broker does not report them in time, so a limit on the day's loss blocks purchases.
   */
  readonly dayFlows: 'reported' | 'excluded' | 'unknown';
  /** Whether the broker pushes order updates (`tradeUpdates` of `Broker`). If not, orders are polled. */
  readonly pushesUpdates?: boolean;
  /** The broker's documented rate limit for one account. Not applied if the settings override the broker's address. */
  readonly accountRate?: RateLimit;
}
