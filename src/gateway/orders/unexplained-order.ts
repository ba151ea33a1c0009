import type { Order } from '../../trading/views.ts';

/**
 * An open order at the broker that bears an id of this gateway, and that no proposal accounts for: the gateway has no record of
 * it (its database was restored from a backup, say), or recorded that it would not be placed. Its owner has to hear about it.
 */
export interface UnexplainedOrder {
  /** Whose account it is in. */
  readonly sub: string;
  readonly account: string;
  readonly order: Order;
}
