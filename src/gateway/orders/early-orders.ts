import type { Clock } from '../../machine/clock.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import type { OpenAccountOf } from '../broker/accounts.ts';
import type { Caller } from '../door/caller.ts';
import { openOrders } from '../policy/order-world.ts';

/** Older answers are not used, milliseconds. */
const FRESH_MS = 1_000;
const MOST = 100;

export type EarlyOrders = ReturnType<typeof createEarlyOrders>;

/**
 * Requests open orders while the kernel still commits that an order is carried out. Everything else a decision needs must
 * be read after them (`readWorlds`), so this saves a round trip between tap and fill.
 */
export function createEarlyOrders(brokerFor: OpenAccountOf, clock: Pick<Clock, 'now'>) {
  const asked = new Map<string, { readonly at: number; readonly orders: Promise<readonly Order[]> }>();
  return {
    /** Never fails; errors go to whoever takes it. */
    ask(draft: OrderDraft, caller: Caller): void {
      if (asked.size >= MOST) asked.clear();
      const orders = brokerFor(caller, draft.account).then(openOrders);
      orders.catch(() => undefined);
      asked.set(keyOf(draft, caller), { at: clock.now(), orders });
    },
    /** Once; undefined if nothing was requested, or too long ago. */
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
