import { cents } from './decimal.ts';
import { type DetailField, detailFields } from './detail-fields.ts';
import { describeOrder, type OrderRequest } from './order.ts';
import type { Order } from './views.ts';

/** An order at the broker in one line of its shorthand: `SELL 5 AAPL STP 180.00`. */
export function describeOpenOrder(order: Order): string {
  return describeOrder(termsOf(order));
}

/** The terms of an order at the broker, as they would be asked for. */
export function termsOf(order: Order): OrderRequest {
  const { symbol, side, type, time_in_force, extended_hours } = order;
  const optional = {
    qty: order.qty,
    // Brokers tell what an amount came to beside the amount; an order has one of the two.
    notional: order.qty === null && order.notional !== null ? cents(order.notional) : null,
    limit_price: order.limit_price,
    stop_price: order.type === 'trailing_stop' ? null : order.stop_price,
    trail_price: order.trail_price,
    trail_percent: order.trail_percent,
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null));
  return { symbol, side, type, time_in_force, extended_hours, ...given };
}

/** As flat details would name it, for the phone's words; what it doesn't have is left out. */
export function openOrderDetails({ type, ...rest }: Order): Record<string, unknown> {
  const all = { ...rest, order_type: type };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null));
}

/** All that is known of it, beside what is to become of it. */
export function openOrderFields(order: Order): DetailField[] {
  return detailFields(openOrderDetails(order)).map((field) => ({
    ...field,
    name: `order.${field.name === 'order_type' ? 'type' : field.name}`,
    label: `Open order: ${field.label}`,
  }));
}
