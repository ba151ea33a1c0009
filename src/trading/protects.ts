import { Dec } from './decimal.ts';
import type { Order, Position } from './views.ts';

/** What can't be cancelled any more. `done_for_day` is not in it: such an order trades again the next day. */
const over: readonly Order['status'][] = ['filled', 'canceled', 'expired', 'rejected', 'replaced'];

/**
 * Whether an order makes a position smaller: a sale against shares held, a purchase against shares owed. Without it
 * more can be lost (or a gain slips away), so cancelling it needs the owner's approval; cancelling what opens or adds
 * to a position needs none. Whether its price is above or below the market's makes no difference: both are a way out.
 */
export function protectsPosition(
  order: Pick<Order, 'symbol' | 'side' | 'status'>,
  positions: readonly Pick<Position, 'symbol' | 'side' | 'qty'>[],
): boolean {
  if (over.includes(order.status)) return false;
  const against = order.side === 'sell' ? 'long' : 'short';
  return positions.some(
    ({ symbol, side, qty }) => symbol === order.symbol && side === against && !new Dec(qty).isZero(),
  );
}
