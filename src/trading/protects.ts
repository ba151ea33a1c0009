import { Dec } from './decimal.ts';
import { liveExits } from './order-legs.ts';
import { isFinal, type Order, type OrderLeg, type Position } from './views.ts';

/**
 * Whether an order reduces a position: a sale of shares held, a purchase of shares owed, and the exits of a filled
 * entry; unknown sides count. Without it more can be lost (or a gain slips away), so cancelling it needs the owner's
 * approval. Its price does not matter: above or below the market, both are a way out.
 */
export function protectsPosition(
  order: Pick<Order, 'symbol' | 'side' | 'status' | 'filled_qty' | 'order_class' | 'legs'>,
  positions: readonly Pick<Position, 'symbol' | 'side' | 'qty'>[],
): boolean {
  return [order, ...liveExits(order)].some((part) => makesSmaller(part, positions));
}

function makesSmaller(
  part: Pick<OrderLeg, 'symbol' | 'side' | 'status'>,
  positions: readonly Pick<Position, 'symbol' | 'side' | 'qty'>[],
): boolean {
  if (isFinal(part.status)) return false;
  return positions.some(
    ({ symbol, side, qty }) =>
      symbol === part.symbol && part.side !== (side === 'long' ? 'buy' : 'sell') && !new Dec(qty).isZero(),
  );
}
