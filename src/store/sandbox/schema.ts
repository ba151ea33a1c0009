import type Database from 'better-sqlite3-multiple-ciphers';
import { OPEN_STATUSES, type OrderRecord } from './records.ts';

/** SQL condition for open orders. The index and the queries that rely on the index must use the same condition. */
export const OPEN_ORDER_CONDITION = `status IN (${OPEN_STATUSES.map((status) => `'${status}'`).join(', ')})`;

/** The columns of `broker_orders`, in the order of an {@link OrderRecord}'s fields. */
export const orderColumns = {
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

/**
 * Tables of the authorization codes and tokens that a simulated OAuth server has issued. The databases of the paper
 * broker, Slack and Gmail contain these tables.
 */
const OAUTH = `
  CREATE TABLE IF NOT EXISTS broker_oauth_codes (
    hash TEXT PRIMARY KEY, client_id TEXT NOT NULL, username TEXT NOT NULL, scope TEXT NOT NULL,
    redirect_uri TEXT NOT NULL, code_challenge TEXT NOT NULL, family TEXT NOT NULL, expires_at INTEGER NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_oauth_tokens (
    hash TEXT PRIMARY KEY, kind TEXT NOT NULL, family TEXT NOT NULL, client_id TEXT NOT NULL,
    username TEXT NOT NULL, scope TEXT NOT NULL, expires_at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS broker_oauth_tokens_by_family ON broker_oauth_tokens (family);`;

const PAPER_BROKER = `
  CREATE TABLE IF NOT EXISTS broker_accounts (
    id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, username TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL, cash TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_account_settings (
    account_id TEXT PRIMARY KEY REFERENCES broker_accounts (id), settings TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_positions (
    account_id TEXT NOT NULL REFERENCES broker_accounts (id), symbol TEXT NOT NULL,
    qty TEXT NOT NULL, cost TEXT NOT NULL, PRIMARY KEY (account_id, symbol)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_fills (
    seq INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES broker_accounts (id), order_id TEXT,
    symbol TEXT NOT NULL, side TEXT NOT NULL, qty TEXT NOT NULL, price TEXT NOT NULL, amount TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS broker_fills_by_account ON broker_fills (account_id, at);
  CREATE TABLE IF NOT EXISTS broker_entries (
    seq INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES broker_accounts (id), type TEXT NOT NULL,
    sub_type TEXT, date TEXT NOT NULL, at INTEGER NOT NULL, symbol TEXT, qty TEXT, cost TEXT, amount TEXT,
    entitled TEXT, per_share TEXT, group_id TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS broker_entries_by_account ON broker_entries (account_id, at);
  CREATE TABLE IF NOT EXISTS broker_scheduled (
    seq INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES broker_accounts (id), at INTEGER NOT NULL,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_booked_to (
    account_id TEXT PRIMARY KEY REFERENCES broker_accounts (id), at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_orders (
    ${Object.entries(orderColumns)
      .map(([name, type]) => `${name} ${type}`)
      .join(', ')},
    UNIQUE (account_id, client_order_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS broker_orders_open ON broker_orders (account_id, seq) WHERE ${OPEN_ORDER_CONDITION};
  CREATE INDEX IF NOT EXISTS broker_order_legs ON broker_orders (parent_id) WHERE parent_id IS NOT NULL;
  CREATE TABLE IF NOT EXISTS broker_watchlists (
    id TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES broker_accounts (id), name TEXT NOT NULL,
    symbols TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, UNIQUE (account_id, name)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS broker_history_gaps (date TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS broker_corporate_actions (seq INTEGER PRIMARY KEY, action TEXT NOT NULL) STRICT;
  ${OAUTH}`;

const THIRD_PARTY = `
  ${OAUTH}
  CREATE TABLE IF NOT EXISTS sent_messages (seq INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL) STRICT;`;

/** Tables of the sandbox's company, in addition to those of its identity provider. */
const COMPANY = `
  CREATE TABLE IF NOT EXISTS company_leavers (sub TEXT PRIMARY KEY) STRICT;
  CREATE TABLE IF NOT EXISTS company_id_tokens (
    digest TEXT PRIMARY KEY, grant_id TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS company_client_keys (
    client_id TEXT, kid TEXT, jwk TEXT NOT NULL, PRIMARY KEY (client_id, kid)
  ) STRICT;`;

const schemas = { paperBroker: PAPER_BROKER, thirdParty: THIRD_PARTY, company: COMPANY } as const;

export function createSandboxTables(database: Database.Database, of: keyof typeof schemas): void {
  database.exec(schemas[of]);
}
