import type { TermsByClass } from '../../trading/order-terms.ts';

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
     * Whether an order can be looked up by it. Where it can't, a lost answer stays lost, and nothing ever counts as
     * not placed.
     */
    readonly lookedUp: boolean;
  };
  /** What of replacing an open order by another it does; undefined where it replaces none. */
  readonly replaces:
    | {
        /** Whether the quantity may be, or become, parts of a share. */
        readonly fractions: boolean;
      }
    | undefined;
}
