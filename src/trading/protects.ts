import { Dec } from './decimal.ts';
import { liveExits } from './order-legs.ts';
import { isFinal, type Order, type OrderLeg, type Position } from './views.ts';

/**
 * Whether an order makes a position smaller: a sale against shares held, a purchase against shares owed, and of an entry
 * that is filled, in part at least, its exits. A side that nobody here knows counts as one that does. Without it
 * more can be lost (or a gain slips away), so cancelling it needs the owner's approval; cancelling what opens or adds
 * to a position needs none. Whether its price is above or below the market's makes no difference: both are a way out.
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
