import { toCents } from './decimal.ts';
import { type DetailField, toDetailFields } from './detail-fields.ts';
import { describeOrder, type OrderRequest, orderRequestSchema } from './order.ts';
import { exitPrices, isMultiLeg } from './order-legs.ts';
import { invalidOrderError } from './order-problem.ts';
import { requiresPrice } from './order-types.ts';
import { displayedTerms } from './order-words.ts';
import type { Order, OrderLeg } from './views.ts';

/** Describes an order at the broker in one line of shorthand: `SELL 5 AAPL STP 180.00`. */
export function describeOpenOrder(order: Order): string {
  if (isMultiLeg(order)) {
    const legs = (order.legs ?? []).map((leg) => describeOrder(toTerms(leg)));
    return `${order.order_class?.toUpperCase() ?? 'LEGS'} ${[order.qty, ...legs].filter((text) => text !== null).join(' + ')}`;
  }
  const { bound, ...own } = displayedTerms(order);
  const { limit_price, ...terms } = toTerms(own);
  const exits = exitPrices(order);
  // The limit price of an OCO is its take profit, so it is not shown twice.
  const limit = order.order_class === 'oco' && exits.stop_loss_stop_price !== undefined ? {} : { limit_price };
  const order_class = order.legs === undefined ? {} : { order_class: order.order_class };
  const words = describeOrder({ ...terms, ...limit, ...exits, ...order_class });
  return bound === undefined ? words : `${words}, ${bound}`;
}

function toTerms(order: OrderLeg) {
  const { symbol, side, type, time_in_force, extended_hours } = order;
  return {
    symbol,
    side,
    type,
    time_in_force,
    extended_hours,
    qty: order.qty ?? undefined,
    // For an order in dollars, brokers also return the resulting quantity, but a request may contain only one of the
    // two.
    notional: order.qty === null && order.notional !== null ? toCents(order.notional) : undefined,
    limit_price: order.limit_price ?? undefined,
    stop_price: requiresPrice(order.type, 'trail') ? undefined : (order.stop_price ?? undefined),
    trail_price: order.trail_price ?? undefined,
    trail_percent: order.trail_percent ?? undefined,
    position_intent: order.position_intent,
  };
}

/**
 * Returns a request with the same terms as an order at the broker.
 * @throws {TradeAgentError} `invalid_order` if trade-agent can't propose such an order
 */
export function toOrderRequest(order: Order): OrderRequest {
  const given = Object.entries(toTerms(order)).filter(([, value]) => value !== undefined);
  const terms = orderRequestSchema.safeParse(Object.fromEntries(given));
  if (terms.success && !isMultiLeg(order)) return terms.data;
  throw invalidOrderError(
    `the order ${describeOpenOrder(order)} has terms that trade-agent can display but not propose`,
    'Change the order in the app where it was placed.',
    'order_id',
  );
}

export function openOrderDetails(order: Order): Record<string, unknown> {
  const { type, legs: _, ...rest } = order;
  const all = { ...rest, ...exitPrices(order), order_type: type };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value != null));
}

export function openOrderFields(order: Order): DetailField[] {
  return toDetailFields(openOrderDetails(order)).map((field) => ({
    ...field,
    name: `order.${field.name === 'order_type' ? 'type' : field.name}`,
    label: `Open order: ${field.label}`,
  }));
}
