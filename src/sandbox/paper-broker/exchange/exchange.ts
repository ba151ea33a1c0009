import type Database from 'better-sqlite3-multiple-ciphers';
import { notFound, unprocessable } from '../broker-error.ts';
import type { Ticket } from '../order-body.ts';
import { isOpenOrder, type OrderRecord } from '../records.ts';
import { type AdmissionOptions, createAdmission } from './admission.ts';
import { advance, canceled } from './advance.ts';
import { consequences, groupOf } from './order-group.ts';
import { type ReplacementTerms, replacementTicket } from './replacement.ts';

/** Where orders are accepted, matched against the market and booked. Each step is one transaction. */
export interface Exchange {
  /** @throws {BrokerError} where the order is refused; nothing is stored then */
  place(accountId: string, ticket: Ticket): OrderRecord;
  /** Cancels an order, and what is left of those that came with it. @throws {BrokerError} 404 unknown, 422 no longer open */
  cancel(accountId: string, orderId: string): OrderRecord;
  /** @returns the orders that were open */
  cancelAll(accountId: string): OrderRecord[];
  /** Replaces an open order by one with other terms. @throws {BrokerError} as place and cancel do */
  replace(accountId: string, orderId: string, terms: ReplacementTerms): OrderRecord;
  /** Brings every open order up to now: expiries, auctions, triggers, fills. */
  settle(): void;
}

export interface ExchangeOptions extends AdmissionOptions {
  database: Database.Database;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { database, ledger, orders, market, now } = options;

  const inTransaction = <T>(work: () => T): T => database.transaction(work).immediate();

  const requireOpen = (accountId: string, orderId: string): OrderRecord => {
    const order = orders.byId(accountId, orderId);
    if (order === undefined) throw notFound(`order not found for ${orderId}`);
    if (!isOpenOrder(order)) throw unprocessable(`order is already in "${order.status}" state`);
    return order;
  };

  const update = (order: OrderRecord): OrderRecord => {
    const changed = { ...order, updated_at: now() };
    orders.update(changed);
    return changed;
  };

  const store = (order: OrderRecord): OrderRecord => {
    const changed = update(order);
    // None of them has consequences that the change itself did not have.
    for (const other of consequences(changed, groupOf(changed, orders), now())) update(other);
    return changed;
  };

  const bringUpToNow = (order: OrderRecord): OrderRecord => {
    const next = advance(order, { market, ledger, at: now() });
    return next === order ? order : store(next);
  };

  const admission = createAdmission(options);

  return {
    place: (accountId, ticket) => inTransaction(() => bringUpToNow(admission.admit(accountId, ticket))),
    cancel: (accountId, orderId) =>
      inTransaction(() => store(canceled(requireOpen(accountId, orderId), now()))),
    cancelAll: (accountId) =>
      inTransaction(() => {
        const open = orders.openOf(accountId);
        return open.map((order) => update(canceled(order, now())));
      }),
    replace: (accountId, orderId, terms) =>
      inTransaction(() => {
        const old = requireOpen(accountId, orderId);
        const ticket = replacementTicket(old, terms);
        const gone = store({ ...old, status: 'replaced', replaced_at: now() });
        return bringUpToNow(admission.succeed(gone, old, ticket));
      }),
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
