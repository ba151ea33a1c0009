import type Database from 'better-sqlite3-multiple-ciphers';
import type { OrderRecord } from './records.ts';
import { OPEN_ORDER_CONDITION, orderColumns } from './schema.ts';

export type OrderBook = ReturnType<typeof openOrderBook>;

export function openOrderBook(database: Database.Database) {
  const written = Object.keys(orderColumns).filter((name) => name !== 'seq');
  const insert = database.prepare(
    `INSERT INTO broker_orders (${written.join(', ')}) VALUES (${written.map((name) => `:${name}`).join(', ')})`,
  );
  const change = database.prepare(
    `UPDATE broker_orders SET ${written.map((name) => `${name} = :${name}`).join(', ')} WHERE seq = :seq`,
  );
  const select = 'SELECT * FROM broker_orders';
  const one = database.prepare<[string, string], OrderRecord>(`${select} WHERE account_id = ? AND id = ?`);
  const oneByClientId = database.prepare<[string, string], OrderRecord>(
    `${select} WHERE account_id = ? AND client_order_id = ?`,
  );
  const everyOpen = database.prepare<[], OrderRecord>(`${select} WHERE ${OPEN_ORDER_CONDITION} ORDER BY seq`);
  const openOfAccount = database.prepare<[string], OrderRecord>(
    `${select} WHERE account_id = ? AND ${OPEN_ORDER_CONDITION} ORDER BY seq`,
  );
  const legs = database.prepare<[string], OrderRecord>(
    `${select} WHERE parent_id = ? AND status <> 'replaced' ORDER BY seq`,
  );
  const every = database.prepare<[], OrderRecord>(`${select} ORDER BY seq`);
  const ofAccount = database.prepare<[string], OrderRecord>(`${select} WHERE account_id = ? ORDER BY seq`);

  return {
    add(order: Omit<OrderRecord, 'seq'>): OrderRecord {
      const { lastInsertRowid } = insert.run(order);
      return { ...order, seq: Number(lastInsertRowid) };
    },
    update: (order: OrderRecord): void => void change.run(order),
    byId: (accountId: string, id: string) => one.get(accountId, id),
    byClientOrderId: (accountId: string, clientOrderId: string) => oneByClientId.get(accountId, clientOrderId),
    /** Returns the open orders of all accounts, in order of arrival. */
    open: () => everyOpen.all(),
    openOf: (accountId: string) => openOfAccount.all(accountId),
    /** Returns an order's legs, except replaced legs, in order of arrival. */
    legsOf: (parentId: string) => legs.all(parentId),
    /** Returns all orders, or all of one account's orders, in order of arrival. */
    all: (accountId?: string) => (accountId === undefined ? every.all() : ofAccount.all(accountId)),
  };
}
