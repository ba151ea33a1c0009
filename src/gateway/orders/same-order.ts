import { Dec } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';

const amounts = ['qty', 'notional', 'limit_price', 'stop_price', 'trail_price', 'trail_percent'] as const;

/**
 * Whether the order that the broker holds under our client_order_id is the approved one. It can only differ if
 * something else than this gateway used the id; then it must never be reported as the result of the approval. Only what
 * went out is compared: brokers add to an order what follows from it (the quantity that an amount came to, the stop
 * price that a trail stands at), and an order taken for another's would be proposed a second time. So the form that
 * earlier versions sent, without its bound, is the approved one too.
 */
export function isSameOrder(order: Order, draft: OrderDraft): boolean {
  return isOrder(order, boundedOrder(draft)) || isOrder(order, draft);
}

function isOrder(order: Order, draft: OrderDraft): boolean {
  return (
    order.client_order_id === draft.client_order_id &&
    order.symbol === draft.symbol &&
    order.side === draft.side &&
    order.type === draft.type &&
    order.time_in_force === draft.time_in_force &&
    order.extended_hours === draft.extended_hours &&
    amounts.every((field) => sameAmount(order[field], draft[field]))
  );
}

function sameAmount(held: string | null, approved: string | undefined): boolean {
  return approved === undefined || (held !== null && new Dec(held).eq(approved));
}
