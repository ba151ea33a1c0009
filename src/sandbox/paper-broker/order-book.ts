import type Database from 'better-sqlite3-multiple-ciphers';
import { OPEN_STATUSES, type OrderRecord } from './records.ts';

/** Every order ever, open and closed. */
export interface OrderBook {
  /** @returns the order as stored, with its place in the order of arrival */
  add(order: Omit<OrderRecord, 'seq'>): OrderRecord;
  update(order: OrderRecord): void;
  byId(accountId: string, id: string): OrderRecord | undefined;
  byClientOrderId(accountId: string, clientOrderId: string): OrderRecord | undefined;
  /** Open orders of all accounts, in order of arrival. */
  open(): OrderRecord[];
  openOf(accountId: string): OrderRecord[];
  /** The legs that came with an order, in order of arrival; those that were replaced are none of them any more. */
  legsOf(parentId: string): OrderRecord[];
  /** In order of arrival. */
  all(accountId?: string): OrderRecord[];
}

const columns = {
  seq: 'INTEGER PRIMARY KEY',
  id: 'TEXT NOT NULL UNIQUE',
  account_id: 'TEXT NOT NULL REFERENCES broker_accounts (id)',
  client_order_id: 'TEXT NOT NULL',
  symbol: 'TEXT NOT NULL',
  side: 'TEXT NOT NULL',
  type: 'TEXT NOT NULL',
  time_in_force: 'TEXT NOT NULL',
  qty: 'TEXT',
  notional: 'TEXT',
  limit_price: 'TEXT',
  stop_price: 'TEXT',
  trail_price: 'TEXT',
  trail_percent: 'TEXT',
  extended_hours: 'INTEGER NOT NULL',
  status: 'TEXT NOT NULL',
  filled_qty: 'TEXT NOT NULL',
  filled_value: 'TEXT NOT NULL',
  hwm: 'TEXT',
  triggered: 'INTEGER NOT NULL',
  reserve_price: 'TEXT',
  first_part: 'TEXT',
  pause_until: 'INTEGER',
  auction_at: 'INTEGER',
  created_at: 'INTEGER NOT NULL',
  updated_at: 'INTEGER NOT NULL',
  expires_at: 'INTEGER',
  filled_at: 'INTEGER',
  expired_at: 'INTEGER',
  canceled_at: 'INTEGER',
  failed_at: 'INTEGER',
  replaced_at: 'INTEGER',
  replaced_by: 'TEXT',
  replaces: 'TEXT',
  order_class: "TEXT NOT NULL DEFAULT ''",
  parent_id: 'TEXT',
  exit: 'TEXT',
  dormant: 'INTEGER NOT NULL DEFAULT 0',
  position_intent: "TEXT NOT NULL DEFAULT ''",
  ratio_qty: 'TEXT',
} as const satisfies Record<keyof OrderRecord, string>;

export function openOrderBook(database: Database.Database): OrderBook {
  const isOpen = `status IN (${OPEN_STATUSES.map((status) => `'${status}'`).join(', ')})`;
  database.exec(`
    CREATE TABLE IF NOT EXISTS broker_orders (
      ${Object.entries(columns)
        .map(([name, type]) => `${name} ${type}`)
        .join(', ')},
      UNIQUE (account_id, client_order_id)
    ) STRICT;
    DROP INDEX IF EXISTS broker_open_orders;`);
  addColumns(database);
  database.exec(`
    CREATE INDEX IF NOT EXISTS broker_orders_open ON broker_orders (account_id, seq) WHERE ${isOpen};
    CREATE INDEX IF NOT EXISTS broker_order_legs ON broker_orders (parent_id) WHERE parent_id IS NOT NULL;`);

  const written = Object.keys(columns).filter((name) => name !== 'seq');
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
  const everyOpen = database.prepare<[], OrderRecord>(`${select} WHERE ${isOpen} ORDER BY seq`);
  const openOfAccount = database.prepare<[string], OrderRecord>(
    `${select} WHERE account_id = ? AND ${isOpen} ORDER BY seq`,
  );
  const legs = database.prepare<[string], OrderRecord>(
    `${select} WHERE parent_id = ? AND status <> 'replaced' ORDER BY seq`,
  );
  const every = database.prepare<[], OrderRecord>(`${select} ORDER BY seq`);
  const ofAccount = database.prepare<[string], OrderRecord>(`${select} WHERE account_id = ? ORDER BY seq`);

  return {
    add(order) {
      const { lastInsertRowid } = insert.run(order);
      return { ...order, seq: Number(lastInsertRowid) };
    },
    update(order) {
      change.run(order);
    },
    byId: (accountId, id) => one.get(accountId, id),
    byClientOrderId: (accountId, clientOrderId) => oneByClientId.get(accountId, clientOrderId),
    open: () => everyOpen.all(),
    openOf: (accountId) => openOfAccount.all(accountId),
    legsOf: (parentId) => legs.all(parentId),
    all: (accountId) => (accountId === undefined ? every.all() : ofAccount.all(accountId)),
  };
}

/** A book that was begun with fewer columns keeps its orders. */
function addColumns(database: Database.Database): void {
  const there = database.pragma('table_info(broker_orders)') as { name: string }[];
  for (const [name, type] of Object.entries(columns)) {
    if (!there.some((column) => column.name === name)) {
      database.exec(`ALTER TABLE broker_orders ADD COLUMN ${name} ${type}`);
    }
  }
  // All there was: accounts could not go short.
  database.exec(`
    UPDATE broker_orders SET position_intent = CASE side WHEN 'buy' THEN 'buy_to_open' ELSE 'sell_to_close' END
    WHERE position_intent = ''`);
}
