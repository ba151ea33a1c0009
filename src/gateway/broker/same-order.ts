import { Dec } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { legFields, orderField, sentFields } from '../../trading/order-fields.ts';
import { exitsOf } from '../../trading/order-legs.ts';
import type { Order } from '../../trading/views.ts';
import { boundedOrder } from '../../trading/worst-case.ts';

type Sent = Order[(typeof sentFields)[number]];

/**
 * Whether the order that the broker holds under our client_order_id is the approved one. It can only differ if
 * something else than this gateway used the id; then it must never be reported as the result of the approval. Only what
 * went out is compared: brokers add to an order what follows from it (the quantity that an amount came to, the stop
 * price that a trail stands at), and an order taken for another's would be proposed a second time. So the form that
 * earlier versions sent, without its bound, is the approved one too.
 */
export function isSameOrder(order: Order, draft: OrderDraft): boolean {
  if (isOrder(order, boundedOrder(draft))) return true;
  return draft.order_class === undefined && isOrder(order, draft);
}

function isOrder(order: Order, draft: OrderDraft): boolean {
  return (
    sentFields.every((field) => isSame(order[field], draft[field], orderField(field)?.form === 'word')) &&
    hasExits(order, draft)
  );
}

/** Every leg as it was approved, and no other; of a broker that tells no legs the class alone can be the same. */
function hasExits(order: Order, draft: OrderDraft): boolean {
  if (order.legs === undefined && order.order_class !== undefined) return true;
  const held = exitsOf(order);
  return legFields.every((field) => isSame(held[field] ?? null, draft[field], held[field] === undefined));
}

function isSame(held: Sent, approved: Sent | undefined, isWord: boolean): boolean {
  if (isWord) return (held ?? undefined) === approved;
  return approved === undefined || (typeof held === 'string' && new Dec(held).eq(String(approved)));
}
