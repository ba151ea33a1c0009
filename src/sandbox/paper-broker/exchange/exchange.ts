import { randomUUID } from 'node:crypto';
import type Database from 'better-sqlite3-multiple-ciphers';
import { failpoint } from '../../../machine/failpoint.ts';
import type { Market } from '../../market/market.ts';
import { badParameter, notFound, notPermitted, unprocessable } from '../broker-error.ts';
import type { Ledger } from '../ledger.ts';
import type { OrderBook } from '../order-book.ts';
import { isFractional, type Ticket } from '../order-ticket.ts';
import { isOpenOrder, type OrderRecord } from '../records.ts';
import { isFractionable } from '../tradable-asset.ts';
import { checkAccount } from './account-check.ts';
import { advance, canceled } from './advance.ts';
import { newOrder } from './new-order.ts';
import { type ReplacementTerms, replacementTicket } from './replacement.ts';

/** Where orders are accepted, matched against the market and booked. Each step is one transaction. */
export interface Exchange {
  /** @throws {BrokerError} where the order is refused; nothing is stored then */
  place(accountId: string, ticket: Ticket): OrderRecord;
  /** @throws {BrokerError} 404 unknown, 422 no longer open */
  cancel(accountId: string, orderId: string): OrderRecord;
  /** @returns the orders that were open */
  cancelAll(accountId: string): OrderRecord[];
  /** Replaces an open order by one with other terms. @throws {BrokerError} as place and cancel do */
  replace(accountId: string, orderId: string, terms: ReplacementTerms): OrderRecord;
  /** Brings every open order up to now: expiries, auctions, triggers, fills. */
  settle(): void;
}

export interface ExchangeOptions {
  database: Database.Database;
  ledger: Ledger;
  orders: OrderBook;
  market: Market;
  now: () => number;
  partialFills: boolean;
}

export function createExchange(options: ExchangeOptions): Exchange {
  const { database, ledger, orders, market, now, partialFills } = options;

  const inTransaction = <T>(work: () => T): T => database.transaction(work).immediate();

  const requireOpen = (accountId: string, orderId: string): OrderRecord => {
    const order = orders.byId(accountId, orderId);
    if (order === undefined) throw notFound(`order not found for ${orderId}`);
    if (!isOpenOrder(order)) throw unprocessable(`order is already in "${order.status}" state`);
    return order;
  };

  const store = (order: OrderRecord): OrderRecord => {
    const changed = { ...order, updated_at: now() };
    orders.update(changed);
    return changed;
  };

  const bringUpToNow = (order: OrderRecord): OrderRecord => {
    const next = advance(order, { market, ledger, at: now() });
    return next === order ? order : store(next);
  };

  const accept = (accountId: string, ticket: Ticket, replaces: string | null): OrderRecord => {
    const { symbol } = ticket;
    const asset = market.symbol(symbol);
    const quote = market.quote(symbol);
    if (asset === undefined || quote === undefined) throw unprocessable(`asset "${symbol}" not found`);
    if (isFractional(ticket) && !isFractionable(asset)) {
      throw notPermitted(`asset "${symbol}" is not fractionable`);
    }
    const client_order_id = ticket.client_order_id ?? randomUUID();
    if (orders.byClientOrderId(accountId, client_order_id) !== undefined) {
      throw badParameter('client_order_id must be unique');
    }
    const arrival = { accountId, quote, market, at: now(), partialFills };
    const order = newOrder({ ...ticket, client_order_id }, arrival);
    const account = ledger.account(accountId);
    if (account === undefined) throw notFound('account not found');
    checkAccount({ ...order, seq: 0 }, quote, {
      cash: account.cash,
      shares: ledger.position(accountId, symbol)?.qty ?? '0',
      open: orders.openOf(accountId),
    });
    failpoint('broker.accepted');
    const added = orders.add({ ...order, replaces });
    failpoint('broker.written');
    return bringUpToNow(added);
  };

  return {
    place: (accountId, ticket) => inTransaction(() => accept(accountId, ticket, null)),
    cancel: (accountId, orderId) =>
      inTransaction(() => store(canceled(requireOpen(accountId, orderId), now()))),
    cancelAll: (accountId) =>
      inTransaction(() => orders.openOf(accountId).map((order) => store(canceled(order, now())))),
    replace: (accountId, orderId, terms) =>
      inTransaction(() => {
        const old = requireOpen(accountId, orderId);
        const ticket = replacementTicket(old, terms);
        // Out of the way first: its own reservation must not stand against its successor. A refusal rolls all back.
        const gone = store({ ...old, status: 'replaced', replaced_at: now() });
        const placed = accept(accountId, ticket, gone.id);
        store({ ...gone, replaced_by: placed.id });
        return placed;
      }),
    settle: () => {
      for (const order of orders.open()) inTransaction(() => bringUpToNow(order));
    },
  };
}
