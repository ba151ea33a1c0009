import { Dec } from './decimal.ts';
import { isFinalStatus, type Order, type OrderLeg } from './views.ts';

export interface ExitPrices {
  readonly take_profit_limit_price?: string | undefined;
  readonly stop_loss_stop_price?: string | undefined;
  readonly stop_loss_limit_price?: string | undefined;
}

/** Returns whether an order has legs that are not exits: an option spread, or an unknown order class. */
export function isMultiLeg({ order_class, legs = [] }: Pick<Order, 'order_class' | 'legs'>): boolean {
  return order_class === 'mleg' || (legs.length > 0 && !hasExitLegs(order_class));
}

const hasExitLegs = (order_class: string | undefined): boolean =>
  order_class === 'bracket' || order_class === 'oto' || order_class === 'oco';

export function exitPrices(order: Order): ExitPrices {
  const { order_class, legs = [], limit_price } = order;
  if (!hasExitLegs(order_class) || legs.length === 0) return {};
  const stop = legs.find(({ stop_price }) => stop_price !== null);
  const profit = order_class === 'oco' ? limit_price : legs.find((leg) => leg !== stop)?.limit_price;
  return {
    ...(profit == null ? {} : { take_profit_limit_price: profit }),
    ...(stop?.stop_price == null ? {} : { stop_loss_stop_price: stop.stop_price }),
    ...(stop?.limit_price == null ? {} : { stop_loss_limit_price: stop.limit_price }),
  };
}

/**
 * Returns the parts of an order that can still fill. Exits can't fill until their entry has ended. After that, and for
 * an OCO, one exit cancels the other, so only the larger exit counts. In a spread or an unknown order class, every open
 * leg counts.
 */
export function fillableLegs(order: Order): readonly OrderLeg[] {
  const { legs } = order;
  if (legs === undefined) return hasExitLegs(order.order_class) && order.status === 'held' ? [] : [order];
  const open = openLegs(order);
  if (isMultiLeg(order)) return open;
  if (!isFinalStatus(order.status)) return [order];
  const [largest] = [...open].sort((a, b) => openQuantity(b).comparedTo(openQuantity(a)));
  return largest === undefined ? [] : [largest];
}

export function openLegs({ legs = [] }: Pick<Order, 'legs'>): readonly OrderLeg[] {
  return legs.filter(({ status }) => !isFinalStatus(status));
}

/** Returns whether no part of an order, including its exits, can fill any longer. */
export function hasEnded({ status, legs = [] }: Pick<Order, 'status' | 'legs'>): boolean {
  return isFinalStatus(status) && openLegs({ legs }).length === 0;
}

/** Returns whether an order's entry has ended. Such an order is still listed only because of its exits. */
export function hasEndedEntry({ legs, status }: Order): boolean {
  return legs !== undefined && isFinalStatus(status);
}

/** Returns the exits that are active. An entry's exits become active after its first fill. */
export function activeExits(order: Pick<Order, 'order_class' | 'legs' | 'filled_qty'>): readonly OrderLeg[] {
  const { order_class, legs = [], filled_qty } = order;
  if (order_class === 'oco' || isMultiLeg(order)) return legs;
  return new Dec(filled_qty).isZero() ? [] : legs;
}

const openQuantity = ({ qty, filled_qty }: OrderLeg) => new Dec(qty ?? 0).minus(filled_qty);
