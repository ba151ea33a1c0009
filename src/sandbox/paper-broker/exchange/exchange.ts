import type Database from 'better-sqlite3-multiple-ciphers';
import { notFound, unprocessable } from '../broker-error.ts';
import { exerciseHeld } from '../options/early-exercise.ts';
import type { Ticket } from '../order-body.ts';
import { isOpenOrder, type OrderRecord } from '../records.ts';
import { type TradeUpdate, watchedBook } from '../stream/trade-update.ts';
import { type AdmissionOptions, createAdmission } from './admission.ts';
import { advance, canceled } from './advance.ts';
import { bookFill } from './booking.ts';
import { type MultiLegTerms, multiLegOrders } from './multi-leg.ts';
import { consequences, groupOf } from './order-group.ts';
import { type ReplacementTerms, replacementTicket } from './replacement.ts';

/** Where orders are accepted, matched against the market and booked. Each step is one transaction. */
export interface Exchange {
  /** @throws {BrokerError} where the order is refused; nothing is stored then */
  place(accountId: string, ticket: Ticket): OrderRecord;
  /** Cancels an order, and what is left of those that came with it. @throws {BrokerError} 404 unknown, 422 no longer open */
  cancel(accountId: string, orderId: string): OrderRecord;
  /** @param symbol only those in it @returns the orders that were open */
  cancelAll(accountId: string, symbol?: string): OrderRecord[];
  /** Replaces an open order by one with other terms. @throws {BrokerError} as place and cancel do */
  replace(accountId: string, orderId: string, terms: ReplacementTerms): OrderRecord;
  /**
   * Books a multi-leg order that was placed at the broker's own desk, not here: it rests until it is cancelled or expires.
   * @throws {BrokerError} 422 for contracts that there are none of
   */
  bookMultiLeg(accountId: string, terms: MultiLegTerms): OrderRecord;
  /** Turns contracts that are held into shares at their strike. @throws {BrokerError} where that can't be */
  exercise(accountId: string, symbol: string): void;
  /** Brings every open order up to now: expiries, auctions, triggers, fills. */
  settle(): void;
}

export interface ExchangeOptions extends AdmissionOptions {
  database: Database.Database;
  /** Told what became of orders, once it is kept. */
  tell?: (update: TradeUpdate) => void;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { database, market, now, tell } = options;
  const untold: TradeUpdate[] = [];
  const orders = watchedBook(options.orders, (update) => untold.push(update));

  const inTransaction = <T>(work: () => T): T => {
    const before = untold.length;
    try {
      return database.transaction(work).immediate();
    } catch (error) {
      untold.length = before;
      throw error;
    } finally {
      // Within somebody else's transaction nothing is kept yet: it is told with what comes next.
      if (!database.inTransaction) for (const update of untold.splice(0)) tell?.(update);
    }
  };

  const requireOpen = (accountId: string, orderId: string): OrderRecord => {
    const order = orders.byId(accountId, orderId);
    if (order === undefined) throw notFound(`order not found for ${orderId}`);
    if (!isOpenOrder(order)) throw unprocessable(`order is already in "${order.status}" state`);
    return order;
  };

  const update = (order: OrderRecord): void => orders.update({ ...order, updated_at: now() });

  const store = (order: OrderRecord): OrderRecord => {
    // None of them has consequences that the change itself did not have.
    const others = consequences(order, groupOf(order, orders), now());
    // A take profit is gone before the stop beside it trades.
    const changes = order.exit === 'stop_loss' ? [...others, order] : [order, ...others];
    for (const change of changes) update(change);
    return { ...order, updated_at: now() };
  };

  const bringUpToNow = (order: OrderRecord): OrderRecord => {
    const next = advance(order, {
      market,
      at: now(),
      book: (filled, fill) => bookFill(options, filled, fill),
    });
    return next === order ? order : store(next);
  };

  const admission = createAdmission({ ...options, orders });

  return {
    place: (accountId, ticket) => inTransaction(() => bringUpToNow(admission.admit(accountId, ticket))),
    cancel: (accountId, orderId) =>
      inTransaction(() => {
        const order = requireOpen(accountId, orderId);
        untold.push({ event: 'pending_cancel', order: { ...order, status: 'pending_cancel' } });
        return store(canceled(order, now()));
      }),
    cancelAll: (accountId, symbol) =>
      inTransaction(() => {
        const open = orders
          .openOf(accountId)
          .filter((order) => symbol === undefined || order.symbol === symbol);
        for (const order of open) update(canceled(order, now()));
        return open;
      }),
    replace: (accountId, orderId, terms) =>
      inTransaction(() => {
        const old = requireOpen(accountId, orderId);
        const ticket = replacementTicket(old, terms);
        untold.push({ event: 'pending_replace', order: { ...old, status: 'pending_replace' } });
        const gone = store({ ...old, status: 'replaced', replaced_at: now() });
        return bringUpToNow(admission.succeed(gone, old, ticket));
      }),
    bookMultiLeg: (accountId, terms) =>
      inTransaction(() => {
        const [order, ...legs] = multiLegOrders(accountId, terms, market).map((each) => orders.add(each));
        if (order === undefined) throw new Error(`a multi-leg order of ${legs.length} orders`);
        return order;
      }),
    exercise: (accountId, symbol) =>
      inTransaction(() => exerciseHeld(options, accountId, symbol, orders.openOf(accountId))),
    settle: () => {
      for (const { account_id, id } of orders.open()) {
        inTransaction(() => {
          // As it is now: another of its group may have ended it.
          const order = orders.byId(account_id, id);
          if (order !== undefined && isOpenOrder(order)) bringUpToNow(order);
        });
      }
    },
  };
}
