import type { Rate } from '../../store/rate-buckets.ts';
import type { TermsByClass } from '../../trading/order-terms.ts';

/**
 * What a broker may have no API for. Asked for it, its adapter refuses (`notOffered`); it makes nothing up. What an order's
 * checks stand on (account, positions, orders, prices, hours) no broker may lack.
 */
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

/**
 * Where one broker differs from another: plain data, which the gateway acts by. The contract test holds each broker to
 * its own.
 */
export interface BrokerTraits {
  /** For people: `Alpaca`. */
  readonly label: string;
  /** Which orders it takes, by the class of what is traded; a class that is absent, it doesn't trade. An order is held to them in the form in which it goes out (`boundedOrder`). */
  readonly orders: TermsByClass;
  readonly clientOrderId: {
    /**
     * Whether it takes each client_order_id once, also after the order is over. Where it doesn't, an order whose answer
     * was lost is never sent again: its outcome stays unknown until it is found.
     */
    readonly takenOnce: boolean;
    /**
     * Whether an order can be looked up by it. `for_good`: whatever became of it. `while_listed`: among the orders that the
     * broker lists, which are those of the day; one that is found is proof that it was taken, and a miss is proof of nothing,
     * so that a lost answer may stay lost. `never`: it stays lost until the person has looked.
     */
    readonly lookedUp: 'for_good' | 'while_listed' | 'never';
  };
  /** What of replacing an open order by another it does; undefined where it replaces none. */
  readonly replaces:
    | {
        /** Whether the quantity may be, or become, parts of a share. */
        readonly fractions: boolean;
      }
    | undefined;
  readonly lacks: readonly Lackable[];
  /**
   * What came from outside since the last close, or went there, and is no gain or loss of the day's: `told` among its
   * activities by the time the account has it, and the account tells the day of the close (`last_equity_on`); `left_out`
   * where `last_equity` is reckoned without it; `untold` otherwise: a limit on the day's loss then lets nothing be bought.
   */
  readonly dayFlows: 'told' | 'left_out' | 'untold';
  /** Whether it tells by itself what happens to orders (`tradeUpdates` of `Broker`); where it doesn't, it is asked. */
  readonly tellsUpdates?: boolean;
  /** How many requests for one account it says that it takes, at its own addresses; left out where it says nothing. */
  readonly accountRate?: Rate;
}
