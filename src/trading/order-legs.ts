import { Dec } from './decimal.ts';
import { isFinal, type Order, type OrderLeg } from './views.ts';

export interface Exits {
  readonly take_profit_limit_price?: string | undefined;
  readonly stop_loss_stop_price?: string | undefined;
  readonly stop_loss_limit_price?: string | undefined;
}

/** Whether it is of several legs that are no entry with its exits: a spread of options, or what nobody here knows. */
export function isMultiLeg({ order_class, legs = [] }: Pick<Order, 'order_class' | 'legs'>): boolean {
  return order_class === 'mleg' || (legs.length > 0 && !isKnown(order_class));
}

const isKnown = (order_class: string | undefined): boolean =>
  order_class === 'bracket' || order_class === 'oto' || order_class === 'oco';

export function exitsOf(order: Order): Exits {
  const { order_class, legs = [], limit_price } = order;
  if (!isKnown(order_class) || legs.length === 0) return {};
  const stop = legs.find(({ stop_price }) => stop_price !== null);
  const profit = order_class === 'oco' ? limit_price : legs.find((leg) => leg !== stop)?.limit_price;
  return {
    ...(profit == null ? {} : { take_profit_limit_price: profit }),
    ...(stop?.stop_price == null ? {} : { stop_loss_stop_price: stop.stop_price }),
    ...(stop?.limit_price == null ? {} : { stop_loss_limit_price: stop.limit_price }),
  };
}

/**
 * The parts of an order that can trade from now on. An entry's exits cannot before it fills. After that, and for an
 * oco, one exit cancels the other, so the larger stands for both: the broker holds the other back. Legs of an
 * unknown class all count.
 */
export function standingParts(order: Order): readonly OrderLeg[] {
  const { legs } = order;
  if (legs === undefined) return isKnown(order.order_class) && order.status === 'held' ? [] : [order];
  const open = openLegs(order);
  if (isMultiLeg(order)) return open;
  if (!isFinal(order.status)) return [order];
  const [largest] = [...open].sort((a, b) => left(b).comparedTo(left(a)));
  return largest === undefined ? [] : [largest];
}

export function openLegs({ legs = [] }: Pick<Order, 'legs'>): readonly OrderLeg[] {
  return legs.filter(({ status }) => !isFinal(status));
}

/** Whether nothing of an order, its exits included, can fill any more. */
export function isOver({ status, legs = [] }: Pick<Order, 'status' | 'legs'>): boolean {
  return isFinal(status) && openLegs({ legs }).length === 0;
}

/** Whether an order is listed for the sake of its exits alone: it is over itself. */
export function isPastEntry({ legs, status }: Order): boolean {
  return legs !== undefined && isFinal(status);
}

/** The parts of it that are exits by now: of an entry only once something of it is filled. */
export function liveExits(order: Pick<Order, 'order_class' | 'legs' | 'filled_qty'>): readonly OrderLeg[] {
  const { order_class, legs = [], filled_qty } = order;
  if (order_class === 'oco' || isMultiLeg(order)) return legs;
  return new Dec(filled_qty).isZero() ? [] : legs;
}

const left = ({ qty, filled_qty }: OrderLeg) => new Dec(qty ?? 0).minus(filled_qty);
