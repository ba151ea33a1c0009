import type { Clock } from '../../machine/clock.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import type { OpenAccountOf } from '../broker/accounts.ts';
import type { Caller } from '../door/caller.ts';
import { openOrders } from '../policy/order-world.ts';

/** What was told longer ago is asked for anew: milliseconds. */
const FRESH_MS = 1_000;
/** Approvals that are about to be carried out at once; more wait for the desk. */
const MOST = 100;

export type EarlyOrders = ReturnType<typeof createEarlyOrders>;

/**
 * Open orders that are asked for while the kernel still commits that an order is carried out. Whatever an order is decided by
 * must be read after them (`readWorlds`), so it is one round trip to the broker less between the tap and the fill.
 */
export function createEarlyOrders(brokerFor: OpenAccountOf, clock: Pick<Clock, 'now'>) {
  const asked = new Map<string, { readonly at: number; readonly orders: Promise<readonly Order[]> }>();
  return {
    /** Starts asking. Fails for nobody: what went wrong is told to whoever takes it. */
    ask(draft: OrderDraft, caller: Caller): void {
      if (asked.size >= MOST) asked.clear();
      const orders = brokerFor(caller, draft.account).then(openOrders);
      orders.catch(() => undefined);
      asked.set(keyOf(draft, caller), { at: clock.now(), orders });
    },
    /** What was asked for this order, once; undefined where nothing was, or too long ago. */
    take(draft: OrderDraft, caller: Caller): Promise<readonly Order[]> | undefined {
      const key = keyOf(draft, caller);
      const early = asked.get(key);
      asked.delete(key);
      return early !== undefined && clock.now() - early.at <= FRESH_MS ? early.orders : undefined;
    },
  };
}

const keyOf = ({ account, client_order_id }: OrderDraft, { sub }: Caller) =>
  JSON.stringify([sub, account, client_order_id]);
