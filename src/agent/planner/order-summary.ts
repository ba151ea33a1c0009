import { sharePrice, shares } from '../../trading/amounts.ts';
import { describeOrder } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';

/** An order at the broker in one line, `BUY 5 AAPL LMT 182.50: filled 5 at $181.20`; what was approved as a market order has its bound there. */
export function orderSummary(order: Order): string {
  const filled =
    order.filled_avg_price === null
      ? ''
      : ` ${shares(order.filled_qty)} at ${sharePrice(order.filled_avg_price)}`;
  return `${orderShorthand(order)}: ${order.status.replaceAll('_', ' ')}${filled}`;
}

/** `BUY 5 AAPL LMT 180.00` */
export function orderShorthand(order: Order): string {
  const { symbol, side, type, time_in_force, extended_hours } = order;
  const amounts = (
    ['qty', 'notional', 'limit_price', 'stop_price', 'trail_price', 'trail_percent'] as const
  ).flatMap((field) => (order[field] === null ? [] : [[field, order[field]]]));
  return describeOrder({ symbol, side, type, time_in_force, extended_hours, ...Object.fromEntries(amounts) });
}
