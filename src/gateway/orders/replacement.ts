import { Dec } from '../../trading/decimal.ts';
import type { ReplaceSubject } from '../../trading/kinds/replace.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import { isSameOrder } from '../broker/same-order.ts';

/** `trail` is the trail_price or trail_percent, whichever the order has. */
type OrderChanges = ReplaceSubject['changes'];

const prices = ['limit_price', 'stop_price'] as const;
const trails = ['trail_price', 'trail_percent'] as const;

/**
 * The changes from the order at the broker to the approved one, read from the order itself so that everything else stays.
 * @throws {Refusal} 409 `not_replaceable`
 */
export function changesTo(
  draft: OrderDraft,
  order: Order,
  { label, replaces }: Pick<BrokerTraits, 'label' | 'replaces'>,
): OrderChanges {
  if (replaces === undefined) throw notReplaceable(`${label} changes no orders`);
  requireUnfilled(order);
  const { qty } = order;
  if (qty === null || draft.qty === undefined) throw notReplaceable('an order by amount takes no changes');
  const trail = trails.find((field) => draft[field] !== undefined);
  requireSameBesides(draft, order, trail);
  const changes: OrderChanges = {};
  if (!same(qty, draft.qty)) {
    if (!replaces.fractions && ![qty, draft.qty].every((each) => new Dec(each).isInteger())) {
      throw notReplaceable('the quantity of an order in fractions can not be changed');
    }
    changes.qty = draft.qty;
  }
  for (const field of prices) if (!keeps(order, draft, field)) changes[field] = draft[field];
  if (trail !== undefined && !keeps(order, draft, trail)) changes.trail = draft[trail];
  if (order.time_in_force !== draft.time_in_force) changes.time_in_force = draft.time_in_force;
  if (Object.keys(changes).length === 0) throw notReplaceable('the order is that way already');
  return changes;
}

function requireUnfilled({ status, filled_qty }: Order): void {
  if (!['new', 'held', 'accepted', 'partially_filled'].includes(status)) {
    throw notReplaceable(`the order is ${status.replaceAll('_', ' ')}`, { status });
  }
  // Undocumented which shares count against the new quantity; a wrong guess trades too many.
  if (!new Dec(filled_qty).isZero()) throw notReplaceable('the order has been filled in part', { status });
}

function requireSameBesides(
  draft: OrderDraft,
  order: Order,
  trail: (typeof trails)[number] | undefined,
): void {
  const fixed = ['symbol', 'side', 'type', 'extended_hours'] as const;
  const fields: string[] = fixed.filter((field) => order[field] !== draft[field]);
  if (fields.length === 0 && trail !== undefined && order[trail] === null) fields.push('trail');
  if (fields.length > 0)
    throw notReplaceable('the order at the broker is another than the approved one', { fields });
}

/** Whether the broker's order under our client_order_id is the one of this journal entry. */
export function isOrderOf(
  order: Order,
  { draft, replaces }: { readonly draft: OrderDraft; readonly replaces?: string | undefined },
): boolean {
  if (replaces === undefined) return isSameOrder(order, draft);
  return (
    order.client_order_id === draft.client_order_id &&
    order.symbol === draft.symbol &&
    order.side === draft.side &&
    order.type === draft.type &&
    order.time_in_force === draft.time_in_force &&
    order.extended_hours === draft.extended_hours &&
    // Less by what the earlier order filled at the last moment.
    (draft.qty === undefined || (order.qty !== null && new Dec(order.qty).lte(draft.qty))) &&
    [...prices, ...trails].every((field) => keeps(order, draft, field))
  );
}

function keeps(order: Order, draft: OrderDraft, field: (typeof prices | typeof trails)[number]): boolean {
  return draft[field] === undefined || same(order[field], draft[field]);
}

function same(held: string | null, wanted: string | undefined): boolean {
  return held !== null && wanted !== undefined && new Dec(held).eq(wanted);
}

export function notReplaceable(
  why: string,
  more: { readonly fields?: readonly string[]; readonly [member: string]: unknown } = {},
): Refusal {
  const { fields, ...members } = more;
  return new Refusal(409, 'not_replaceable', `nothing was changed: ${why}`, {
    hint: 'Look at the order; where it is still open, propose to cancel it and then a new one.',
    ...defined({ fields }),
    members,
  });
}
