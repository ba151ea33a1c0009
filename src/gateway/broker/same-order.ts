import { Dec } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { findOrderField, legFields, sentFields } from '../../trading/order-fields.ts';
import { exitPrices } from '../../trading/order-legs.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';

type Sent = Order[(typeof sentFields)[number]];

/**
 * Returns whether the broker's order with our client_order_id is the approved order. If another program used the ID,
 * the orders differ, and the broker's order must never be reported as the approval's result. Compares only fields that
 * were sent, because brokers add fields (for example, the quantity of an order for an amount), and an order that
 * wrongly seemed to differ would be reported as not placed and proposed again. An order without its bound
 * (`boundedOrder`) also counts as the approved order.
 */
export function matchesApprovedOrder(order: Order, draft: OrderDraft): boolean {
  if (isOrder(order, boundedOrder(draft))) return true;
  return draft.order_class === undefined && isOrder(order, draft);
}

function isOrder(order: Order, draft: OrderDraft): boolean {
  return (
    sentFields.every((field) => isSame(order[field], draft[field], findOrderField(field)?.form === 'word')) &&
    hasLegs(order, draft)
  );
}

/** Returns whether the legs are exactly the approved legs. Also true if the broker reports only the order class. */
function hasLegs(order: Order, draft: OrderDraft): boolean {
  if (order.legs === undefined && order.order_class !== undefined) return true;
  const held = exitPrices(order);
  return legFields.every((field) => isSame(held[field] ?? null, draft[field], held[field] === undefined));
}

function isSame(held: Sent, approved: Sent | undefined, isWord: boolean): boolean {
  if (isWord) return (held ?? undefined) === approved;
  return approved === undefined || (typeof held === 'string' && new Dec(held).eq(String(approved)));
}
