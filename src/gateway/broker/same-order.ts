import { Dec } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { findOrderField, legFields, sentFields } from '../../trading/order-fields.ts';
import { exitPrices } from '../../trading/order-legs.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';

type Sent = Order[(typeof sentFields)[number]];

/**
 * Returns whether the broker's order with our client_order_id is the approved order. It differs only if something else
 * used the ID, and then it must never be reported as the approval's result. Only fields that were sent are compared,
 * because brokers add derived fields (an amount's quantity, a trail's stop), and an order that seems to differ would be
 * proposed again. The order without its bound (`boundedOrder`) also counts as the approved order.
 */
export function isSameOrder(order: Order, draft: OrderDraft): boolean {
  if (isOrder(order, boundedOrder(draft))) return true;
  return draft.order_class === undefined && isOrder(order, draft);
}

function isOrder(order: Order, draft: OrderDraft): boolean {
  return (
    sentFields.every((field) => isSame(order[field], draft[field], findOrderField(field)?.form === 'word')) &&
    hasLegs(order, draft)
  );
}

/** Requires exactly the approved legs. If the broker reports only the order class, the legs are not compared. */
function hasLegs(order: Order, draft: OrderDraft): boolean {
  if (order.legs === undefined && order.order_class !== undefined) return true;
  const held = exitPrices(order);
  return legFields.every((field) => isSame(held[field] ?? null, draft[field], held[field] === undefined));
}

function isSame(held: Sent, approved: Sent | undefined, isWord: boolean): boolean {
  if (isWord) return (held ?? undefined) === approved;
  return approved === undefined || (typeof held === 'string' && new Dec(held).eq(String(approved)));
}
