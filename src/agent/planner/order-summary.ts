import { sharePrice, shares } from '../../trading/amounts.ts';
import { batchText } from '../../trading/kinds/batch.ts';
import type { BatchLine } from '../../trading/kinds/kind-words.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import type { Order } from '../../trading/views.ts';

/** `BUY 5 AAPL LMT 182.50: filled 5 at $181.20`; approved market orders show their bound. */
export function orderSummary(order: Order): string {
  const filled =
    order.filled_avg_price === null
      ? ''
      : ` ${shares(order.filled_qty)} at ${sharePrice(order.filled_avg_price)}`;
  return `${describeOpenOrder(order)}: ${order.status.replaceAll('_', ' ')}${filled}`;
}

/** `2 of 3 orders placed, 1 refused: SELL 5 AAPL …: filled …; refused: …`. */
export function linesSummary(lines: readonly BatchLine[]): string {
  return `${batchText(lines)}: ${lines.map(lineSummary).join('; ')}`;
}

export function lineSummary({ outcome, order, reason }: BatchLine): string {
  if (order !== undefined) return orderSummary(order);
  return outcome === 'not_sent' ? 'not sent' : `refused: ${reason?.text ?? 'the gateway said no'}`;
}
