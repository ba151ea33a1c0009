import { Dec } from '../../trading/decimal.ts';
import type { OrderTraits } from './intent.ts';

/** Known traits of an open order. */
export interface KnownOrder {
  readonly side?: string | undefined;
  readonly type?: string | undefined;
  readonly qty?: string | null | undefined;
  readonly limit_price?: string | null | undefined;
  readonly stop_price?: string | null | undefined;
}

/** Returns whether an order has the traits that the person named. An unknown trait does not match. */
export function hasTraits(order: KnownOrder, { side, qty, price, type }: OrderTraits): boolean {
  return (
    (side === undefined || order.side === side) &&
    (qty === undefined || isEqual(order.qty, qty)) &&
    (price === undefined || isEqual(order.limit_price, price) || isEqual(order.stop_price, price)) &&
    (type === undefined || isOfType(order.type ?? '', type))
  );
}

const isOfType = (type: string, wanted: 'limit' | 'stop' | 'trailing') =>
  wanted === 'limit' ? type === 'limit' : type.startsWith(wanted);

const isEqual = (value: string | null | undefined, wanted: string) =>
  value !== undefined && value !== null && new Dec(value).eq(wanted);

/** Returns a reference's traits. */
export const traitsOf = ({ side, qty, price, type }: OrderTraits): OrderTraits => ({
  ...(side === undefined ? {} : { side }),
  ...(qty === undefined ? {} : { qty }),
  ...(price === undefined ? {} : { price }),
  ...(type === undefined ? {} : { type }),
});
