import { Dec } from './decimal.ts';
import { activeExits } from './order-legs.ts';
import { isFinalStatus, type Order, type OrderLeg, type Position } from './views.ts';

/**
 * Returns whether an order reduces a position: a sale of shares held, a buy that covers shares sold short, or the exits
 * of a filled entry. Orders with an unknown side count as reducing. Canceling an order that reduces a position can
 * increase a loss or forgo a gain, so the cancellation needs the owner's approval. The order's price does not matter,
 * because an exit on either side of the market protects the position.
 */
export function protectsPosition(
  order: Pick<Order, 'symbol' | 'side' | 'status' | 'filled_qty' | 'order_class' | 'legs'>,
  positions: readonly Pick<Position, 'symbol' | 'side' | 'qty'>[],
): boolean {
  return [order, ...activeExits(order)].some((part) => reducesPosition(part, positions));
}

function reducesPosition(
  part: Pick<OrderLeg, 'symbol' | 'side' | 'status'>,
  positions: readonly Pick<Position, 'symbol' | 'side' | 'qty'>[],
): boolean {
  if (isFinalStatus(part.status)) return false;
  return positions.some(
    ({ symbol, side, qty }) =>
      symbol === part.symbol && part.side !== (side === 'long' ? 'buy' : 'sell') && !new Dec(qty).isZero(),
  );
}
