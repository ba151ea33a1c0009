import { Dec } from '../trading/decimal.ts';
import type { OrderDraft } from '../trading/order.ts';
import type { Order } from '../trading/views.ts';

const amounts = ['qty', 'notional', 'limit_price', 'stop_price', 'trail_price', 'trail_percent'] as const;

/**
 * Whether the order the broker holds under our client_order_id is the approved one. It can only differ if something
 * else than this gateway used the id; then it must never be reported as the result of the approval.
 */
export function isSameOrder(order: Order, draft: OrderDraft): boolean {
  return (
    order.client_order_id === draft.client_order_id &&
    order.symbol === draft.symbol &&
    order.side === draft.side &&
    order.type === draft.type &&
    order.time_in_force === draft.time_in_force &&
    order.extended_hours === draft.extended_hours &&
    amounts.every((field) => sameAmount(field, order, draft))
  );
}

function sameAmount(field: (typeof amounts)[number], order: Order, draft: OrderDraft): boolean {
  const wanted = draft[field];
  const held = order[field];
  // Brokers may add the quantity that an amount in dollars came to; what was approved is the amount.
  if (wanted === undefined) return held === null || (field === 'qty' && draft.notional !== undefined);
  return held !== null && new Dec(held).eq(wanted);
}
