import type { OrderRecord } from '../../../store/sandbox/records.ts';
import { Dec, formatPrice, toPlain } from '../../../trading/decimal.ts';
import { orderTypeTable } from '../../../trading/order-types.ts';
import type { MarketQuote } from '../../market/market.ts';

export interface MatchResult {
  fillPrice: string | undefined;
  hwm: string | null;
  stop_price: string | null;
  triggered: 0 | 1;
}

/**
 * Decides whether an order fills. Buys fill at the ask and sells at the bid, if that price is within the order's limit.
 * A stop triggers when the last trade reaches the stop price, and then acts as a market or limit order. Until a
 * trailing stop triggers, it follows the best price.
 */
export function matchOrder(order: OrderRecord, quote: MarketQuote): MatchResult {
  const buys = order.side === 'buy';
  const last = new Dec(quote.last);
  let { hwm, stop_price } = order;
  let triggered = order.triggered;

  const { prices, matches } = orderTypeTable[order.type];
  if (prices.includes('trail') && triggered === 0) {
    const best = hwm === null ? last : buys ? Dec.min(hwm, last) : Dec.max(hwm, last);
    hwm = toPlain(best);
    stop_price = toPlain(trailingStop(order, best));
  }
  if (stop_price !== null && triggered === 0) {
    if (matches?.(order.side, last, stop_price) === false) return { fillPrice: undefined, hwm, stop_price, triggered };
    triggered = 1;
  }

  const offered = buys ? quote.ask : quote.bid;
  const within =
    order.limit_price === null ||
    (buys ? new Dec(offered).lte(order.limit_price) : new Dec(offered).gte(order.limit_price));
  return { fillPrice: within ? offered : undefined, hwm, stop_price, triggered };
}

function trailingStop(order: OrderRecord, best: Dec): Dec {
  const distance =
    order.trail_price !== null ? new Dec(order.trail_price) : best.times(order.trail_percent ?? 0).div(100);
  const stop = order.side === 'buy' ? best.plus(distance) : best.minus(distance);
  return Dec.max(new Dec(formatPrice(stop)), new Dec('0.0001'));
}

/** Returns whether two orders could trade against each other (wash trade). */
export function couldTradeWith(
  resting: Pick<OrderRecord, 'side' | 'type' | 'limit_price'>,
  incoming: Pick<OrderRecord, 'side' | 'type' | 'limit_price'>,
): boolean {
  if (resting.side === incoming.side) return false;
  if (resting.type !== 'limit' || incoming.type !== 'limit') return true;
  const [buy, sell] = resting.side === 'buy' ? [resting, incoming] : [incoming, resting];
  return new Dec(buy.limit_price ?? 0).gte(sell.limit_price ?? 0);
}
