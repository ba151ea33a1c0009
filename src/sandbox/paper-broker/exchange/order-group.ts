import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import { isOpenOrder, type OrderRecord } from '../../../store/sandbox/records.ts';
import { Dec, plain } from '../../../trading/decimal.ts';
import type { MarketQuote } from '../../market/market.ts';
import { notFound, unprocessable } from '../books/broker-error.ts';
import { canceled } from './advance.ts';
import {
  checkAgainstBase,
  checkExitPrices,
  type ExitPrices,
  opensPosition,
  opposite,
} from './order-classes.ts';

/** The order's group, parent first. */
export function groupOf(order: OrderRecord, orders: OrderBook): OrderRecord[] {
  if (order.order_class === '') return [order];
  const parent = order.parent_id === null ? order : orders.byId(order.account_id, order.parent_id);
  if (parent === undefined) throw notFound(`order not found for ${order.parent_id}`);
  return [parent, ...orders.legsOf(parent.id)];
}

/**
 * Effects of a changed order on its group (Alpaca, "Placing orders"): exits wait until the entry has filled
 * completely; each shrinks with the other, which is cancelled before a triggered stop trades; an order that ends
 * unfilled ends the rest. @returns the orders that change
 */
export function consequences(changed: OrderRecord, group: readonly OrderRecord[], at: number): OrderRecord[] {
  const others = group.filter((order) => order.id !== changed.id && isOpenOrder(order));
  if (changed.status === 'replaced') return [];
  if (changed.exit === null) {
    if (changed.status === 'filled') return others.map((leg) => awakened(leg, others));
    return isOpenOrder(changed) ? [] : others.map((order) => canceled(order, at));
  }
  if (!isOpenOrder(changed) || changed.triggered === 1) return others.map((order) => canceled(order, at));
  return changed.status === 'partially_filled'
    ? others.map((order) => ({ ...order, qty: plain(new Dec(changed.qty ?? 0).minus(changed.filled_qty)) }))
    : [];
}

/** A stop beside a take profit stays held: only one of them can have the shares. */
function awakened(leg: OrderRecord, legs: readonly OrderRecord[]): OrderRecord {
  const status = leg.exit === 'stop_loss' && legs.length > 1 ? 'held' : 'new';
  return { ...leg, status, dormant: 0 };
}

export function checkGroupPrices(group: readonly OrderRecord[], quote: MarketQuote): void {
  const [parent] = group;
  if (parent === undefined || parent.order_class === '') return;
  const opens = opensPosition(parent.order_class);
  const exit = (name: OrderRecord['exit']) => group.find((order) => order.exit === name);
  const prices: ExitPrices = {
    take_profit: exit('take_profit')?.limit_price ?? null,
    stop_loss: exit('stop_loss')?.stop_price ?? null,
    stop_loss_limit: exit('stop_loss')?.limit_price ?? null,
  };
  checkExitPrices(opens ? opposite(parent.side) : parent.side, prices);
  if (opens && isOpenOrder(parent)) {
    checkAgainstBase(parent.side, prices, parent.limit_price ?? quote.last);
  }
}

/** @throws {BrokerError} 422 for an entry that closes a position, or an exit without one */
export function checkPurpose(order: Pick<OrderRecord, 'order_class' | 'side'>, held: string): void {
  if (order.order_class === '') return;
  const signed = new Dec(held);
  const closes = order.side === 'sell' ? signed.gt(0) : signed.lt(0);
  if (opensPosition(order.order_class) && closes) {
    throw unprocessable(`${order.order_class} orders must be entry orders`);
  }
  if (!opensPosition(order.order_class) && !closes) {
    throw unprocessable(`${order.order_class} orders must be exit orders`);
  }
}
