import { sharePrice, shares } from '../../trading/amounts.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import type { Order } from '../../trading/views.ts';

/** An order at the broker in one line, `BUY 5 AAPL LMT 182.50: filled 5 at $181.20`; what was approved as a market order has its bound there. */
export function orderSummary(order: Order): string {
  const filled =
    order.filled_avg_price === null
      ? ''
      : ` ${shares(order.filled_qty)} at ${sharePrice(order.filled_avg_price)}`;
  return `${describeOpenOrder(order)}: ${order.status.replaceAll('_', ' ')}${filled}`;
}
