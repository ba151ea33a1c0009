import { Dec } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { ReplaceSubject } from '../../trading/kinds/replace.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import { defined } from '../../values/defined.ts';
import type { BrokerTraits } from '../broker/broker-traits.ts';
import { matchesApprovedOrder } from '../broker/same-order.ts';

/** `trail` is the new trail_price or trail_percent. */
type OrderChanges = ReplaceSubject['changes'];

const prices = ['limit_price', 'stop_price'] as const;
const trails = ['trail_price', 'trail_percent'] as const;

/**
 * Returns the fields in which the approved order differs from the order at the broker. Only these are sent, so that all
 * other fields stay unchanged.
 * @throws {HttpProblem} 409 `not_replaceable`
 */
export function computeOrderChanges(
  draft: OrderDraft,
  order: Order,
  { label, replaces }: Pick<BrokerTraits, 'label' | 'replaces'>,
): OrderChanges {
  if (replaces === undefined) throw notReplaceableProblem(`${label} can’t change orders`);
  requireUnfilled(order);
  const { qty } = order;
  if (qty === null || draft.qty === undefined)
    throw notReplaceableProblem('an order by dollar amount can’t be changed');
  const trail = trails.find((field) => draft[field] !== undefined);
  requireOnlyChangeableFieldsDiffer(draft, order, trail);
  const changes: OrderChanges = {};
  if (!isSameDecimal(qty, draft.qty)) {
    if (!replaces.fractions && ![qty, draft.qty].every((each) => new Dec(each).isInteger())) {
      throw notReplaceableProblem('the quantity of a fractional order can’t be changed');
    }
    changes.qty = draft.qty;
  }
  for (const field of prices) if (!isUnchanged(order, draft, field)) changes[field] = draft[field];
  if (trail !== undefined && !isUnchanged(order, draft, trail)) changes.trail = draft[trail];
  if (order.time_in_force !== draft.time_in_force) changes.time_in_force = draft.time_in_force;
  if (Object.keys(changes).length === 0) throw notReplaceableProblem('the order already has these values');
  return changes;
}

function requireUnfilled({ status, filled_qty }: Order): void {
  if (!['new', 'held', 'accepted', 'partially_filled'].includes(status)) {
    throw notReplaceableProblem(`the order is ${status.replaceAll('_', ' ')}`, { status });
  }
  // The broker does not document whether filled shares count toward the new quantity, so a guess could trade too many.
  if (!new Dec(filled_qty).isZero()) throw notReplaceableProblem('the order is partially filled', { status });
}

function requireOnlyChangeableFieldsDiffer(
  draft: OrderDraft,
  order: Order,
  trail: (typeof trails)[number] | undefined,
): void {
  const fixed = ['symbol', 'side', 'type', 'extended_hours'] as const;
  const fields: string[] = fixed.filter((field) => order[field] !== draft[field]);
  if (fields.length === 0 && trail !== undefined && order[trail] === null) fields.push('trail');
  if (fields.length > 0)
    throw notReplaceableProblem('the order at the broker differs from the approved order', { fields });
}

/** Returns whether the broker's order with our client_order_id is the order that the journal entry describes. */
export function matchesIntent(
  order: Order,
  { draft, replaces }: { readonly draft: OrderDraft; readonly replaces?: string | undefined },
): boolean {
  if (replaces === undefined) return matchesApprovedOrder(order, draft);
  return (
    order.client_order_id === draft.client_order_id &&
    order.symbol === draft.symbol &&
    order.side === draft.side &&
    order.type === draft.type &&
    order.time_in_force === draft.time_in_force &&
    order.extended_hours === draft.extended_hours &&
    // The quantity may be smaller, because shares of the earlier order may have been filled at the last moment.
    (draft.qty === undefined || (order.qty !== null && new Dec(order.qty).lte(draft.qty))) &&
    [...prices, ...trails].every((field) => isUnchanged(order, draft, field))
  );
}

function isUnchanged(order: Order, draft: OrderDraft, field: (typeof prices | typeof trails)[number]): boolean {
  return draft[field] === undefined || isSameDecimal(order[field], draft[field]);
}

function isSameDecimal(held: string | null, wanted: string | undefined): boolean {
  return held !== null && wanted !== undefined && new Dec(held).eq(wanted);
}

export function notReplaceableProblem(
  why: string,
  more: { readonly fields?: readonly string[]; readonly [member: string]: unknown } = {},
): HttpProblem {
  const { fields, ...members } = more;
  return new HttpProblem(409, 'not_replaceable', `nothing was changed: ${why}`, {
    hint: 'Check the order. If it is still open, propose to cancel it, then propose a new one.',
    ...defined({ fields }),
    members,
  });
}
