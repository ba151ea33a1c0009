import { randomUUID } from 'node:crypto';
import type { OrderBook } from '../../../store/sandbox/order-book.ts';
import type { OrderRecord, OrderStatus } from '../../../store/sandbox/records.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { orderJson } from '../books/order-json.ts';

/** A trade update as Alpaca sends it ("Websocket streaming"). */
export interface TradeUpdate {
  readonly event: string;
  readonly order: OrderRecord;
  readonly fill?: { readonly qty: string; readonly price: string };
}

const eventName: Partial<Record<OrderStatus, string>> = { filled: 'fill', partially_filled: 'partial_fill' };

/** Returns the updates that report a change. An order that trades on arrival also gets a `new` update first. */
function toTradeUpdates(before: OrderRecord | undefined, after: OrderRecord): TradeUpdate[] {
  const filled = new Dec(after.filled_qty).minus(before?.filled_qty ?? 0);
  if (before?.status === after.status && filled.isZero()) return [];
  const updates: TradeUpdate[] = [];
  const arriving = before?.status === 'accepted' || before?.status === 'held';
  if (arriving && filled.gt(0)) {
    const { filled_qty, filled_value } = before;
    const order: OrderRecord = { ...after, status: 'new', filled_at: null, filled_qty, filled_value };
    updates.push({ event: 'new', order });
  }
  const event = eventName[after.status] ?? after.status;
  if (filled.isZero()) return [...updates, { event, order: after }];
  const value = new Dec(after.filled_value).minus(before?.filled_value ?? 0);
  const price = toPlain(value.div(filled).toDecimalPlaces(9));
  return [...updates, { event, order: after, fill: { qty: toPlain(filled), price } }];
}

export function watchOrderBook(orders: OrderBook, tell: (update: TradeUpdate) => void): OrderBook {
  return {
    ...orders,
    add(order) {
      const added = orders.add(order);
      for (const update of toTradeUpdates(undefined, added)) tell(update);
      return added;
    },
    update(order) {
      const before = orders.byId(order.account_id, order.id);
      orders.update(order);
      for (const update of toTradeUpdates(before, order)) tell(update);
    },
  };
}

export function tradeUpdateJson({ event, order, fill }: TradeUpdate, positionQty: string, at: number) {
  const timestamp = new Date(at).toISOString();
  return {
    stream: 'trade_updates',
    data: {
      event,
      execution_id: randomUUID(),
      at: timestamp,
      timestamp,
      order: orderJson(order),
      ...(fill === undefined ? {} : { price: fill.price, qty: fill.qty, position_qty: positionQty }),
    },
  };
}
