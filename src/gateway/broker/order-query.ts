import { isFinal, type Order } from '../../trading/views.ts';
import type { OrderQuery } from './broker.ts';

/** Filters the one list of a broker. @param orders newest first */
export function selectOrders(
  orders: readonly Order[],
  { status, limit, symbols, until }: OrderQuery,
): Order[] {
  return orders
    .filter((order) => status === 'all' || isFinal(order.status) === (status === 'closed'))
    .filter(({ symbol }) => symbols.length === 0 || symbols.includes(symbol))
    .filter(({ submitted_at }) => until === undefined || Date.parse(submitted_at) <= until.getTime())
    .slice(0, limit);
}
