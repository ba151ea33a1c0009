import { cents } from '../../trading/decimal.ts';
import { describeOrder, type OrderRequest } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';

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
