import { Dec, plain } from '../../../trading/decimal.ts';
import { hashText, uniform } from '../../market/price-path.ts';
import type { OrderRecord } from '../records.ts';

/** One order in ten fills in two parts, as at Alpaca's paper trading; the second part follows within so many ms. */
const PARTIAL_SHARE = 0.1;
const PARTIAL_PAUSE = { least: 500, most: 2000 };

/** Shares of the first of two parts, or null for an order that fills in one. */
export function firstPart(
  order: Pick<OrderRecord, 'client_order_id' | 'qty' | 'time_in_force'>,
  seed: string,
): string | null {
  // The others trade at one moment or not at all.
  if (order.time_in_force !== 'day' && order.time_in_force !== 'gtc') return null;
  const whole = new Dec(order.qty ?? 0);
  if (!whole.isInteger() || whole.lt(2) || chance(order, seed, 0) >= PARTIAL_SHARE) return null;
  return plain(
    Dec.max(
      1,
      whole
        .minus(1)
        .times(chance(order, seed, 1))
        .floor(),
    ),
  );
}

/** Milliseconds from the first part to the second. */
export function pauseBetweenParts(order: Pick<OrderRecord, 'client_order_id'>, seed: string): number {
  return (
    PARTIAL_PAUSE.least + Math.floor(chance(order, seed, 2) * (PARTIAL_PAUSE.most - PARTIAL_PAUSE.least))
  );
}

/** A number in [0, 1) that is the same for an order on every run. */
function chance(order: Pick<OrderRecord, 'client_order_id'>, seed: string, salt: number): number {
  return uniform(hashText(seed), hashText(order.client_order_id), salt);
}
