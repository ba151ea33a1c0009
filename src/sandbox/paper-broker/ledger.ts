import type Database from 'better-sqlite3-multiple-ciphers';
import { unitsOf } from '../../trading/asset-class.ts';
import { cents, Dec, plain } from '../../trading/decimal.ts';
import { afterTrade, type Holding } from './position-change.ts';
import type { AccountRecord, EntryRecord, FillRecord, PositionRecord } from './records.ts';

/** What an account may do beyond its cash and its shares. */
export interface Credit {
  /** Sell shares it doesn't hold. */
  readonly short?: boolean;
  /** Pay with money it doesn't have. */
  readonly overdraft?: boolean;
}

/** Accounts, their cash, positions and the fills and entries these come from. */
export interface Ledger {
  account(id: string): AccountRecord | undefined;
  accountOf(username: string): AccountRecord | undefined;
  accounts(): AccountRecord[];
  openAccount(account: Omit<AccountRecord, 'cash'>): void;
  positions(accountId: string): PositionRecord[];
  position(accountId: string, symbol: string): PositionRecord | undefined;
  /**
   * Books a fill: cash, position and the fill itself. Call it inside a transaction.
   * @returns false, with nothing changed, where cash or shares don't suffice and the account has no such credit
   */
  book(fill: Omit<FillRecord, 'amount'>, credit?: Credit): boolean;
  /** Books what changed the account without a trade, whatever that leaves. Call it inside a transaction. */
  enter(entry: EntryRecord): void;
  /** Each oldest first. */
  fills(accountId: string): FillRecord[];
  entries(accountId: string): EntryRecord[];
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS broker_accounts (
    id TEXT PRIMARY KEY, number TEXT NOT NULL UNIQUE, username TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL, cash TEXT NOT NULL
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
  CREATE INDEX IF NOT EXISTS broker_entries_by_account ON broker_entries (account_id, at);`;

/** Of a sandbox from before there was more to book than deposits. */
const DEPOSITS_ALONE = `
  INSERT INTO broker_entries (account_id, type, date, at, amount)
    SELECT account_id, CASE WHEN amount LIKE '-%' THEN 'CSW' ELSE 'CSD' END,
           date(at / 1000 - 18000, 'unixepoch'), at, amount FROM broker_cash_flows ORDER BY seq;
  DROP TABLE broker_cash_flows;`;

export function openLedger(database: Database.Database): Ledger {
  database.exec(TABLES);
  if (database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'broker_cash_flows'").get() !== undefined) {
    database.transaction(() => database.exec(DEPOSITS_ALONE)).immediate();
  }

  const positions = openPositions(database);
  const byId = database.prepare<[string], AccountRecord>('SELECT * FROM broker_accounts WHERE id = ?');
  const byUsername = database.prepare<[string], AccountRecord>(
    'SELECT * FROM broker_accounts WHERE username = ?',
  );
  const insertAccount = database.prepare(
    `INSERT INTO broker_accounts (id, number, username, created_at, cash)
     VALUES (:id, :number, :username, :created_at, '0.00')`,
  );
  const setCash = database.prepare<[string, string]>('UPDATE broker_accounts SET cash = ? WHERE id = ?');
  const insertEntry = database.prepare(
    `INSERT INTO broker_entries
       (account_id, type, sub_type, date, at, symbol, qty, cost, amount, entitled, per_share, group_id)
     VALUES
       (:account_id, :type, :sub_type, :date, :at, :symbol, :qty, :cost, :amount, :entitled, :per_share, :group_id)`,
  );
  const allAccounts = database.prepare<[], AccountRecord>('SELECT * FROM broker_accounts ORDER BY number');
  const insertFill = database.prepare(
    `INSERT INTO broker_fills (account_id, order_id, symbol, side, qty, price, amount, at)
     VALUES (:account_id, :order_id, :symbol, :side, :qty, :price, :amount, :at)`,
  );
  const allFills = database.prepare<[string], FillRecord>(
    `SELECT account_id, order_id, symbol, side, qty, price, amount, at FROM broker_fills
     WHERE account_id = ? ORDER BY at, seq`,
  );
  const allEntries = database.prepare<[string], EntryRecord>(
    `SELECT account_id, type, sub_type, date, at, symbol, qty, cost, amount, entitled, per_share, group_id
     FROM broker_entries WHERE account_id = ? ORDER BY at, seq`,
  );

  const cashOf = (accountId: string): Dec => {
    const account = byId.get(accountId);
    if (account === undefined) throw new Error('the ledger has no such account');
    return new Dec(account.cash);
  };

  return {
    account: (id) => byId.get(id),
    accountOf: (username) => byUsername.get(username),
    accounts: () => allAccounts.all(),
    openAccount(account) {
      insertAccount.run(account);
    },
    positions: (accountId) => positions.all(accountId),
    position: (accountId, symbol) => positions.one(accountId, symbol),
    book(fill, { short = false, overdraft = false } = {}) {
      const amount = cents(new Dec(fill.qty).times(fill.price).times(unitsOf(fill.symbol)));
      const sign = fill.side === 'buy' ? 1 : -1;
      const cash = cashOf(fill.account_id).minus(new Dec(amount).times(sign));
      const held = positions.holding(fill.account_id, fill.symbol);
      const left = afterTrade(held, {
        qty: new Dec(fill.qty).times(sign),
        cost: new Dec(amount).times(sign),
      });
      if (fill.side === 'buy' && cash.lt(0) && !overdraft) return false;
      if (fill.side === 'sell' && left.qty.lt(0) && !short) return false;
      positions.put(fill.account_id, fill.symbol, left);
      setCash.run(cents(cash), fill.account_id);
      insertFill.run({ ...fill, amount });
      return true;
    },
    enter(entry) {
      const { account_id, symbol, qty, cost, amount } = entry;
      if (symbol !== null && qty !== null) {
        const held = positions.holding(account_id, symbol);
        const left = held.qty.plus(qty);
        positions.put(
          account_id,
          symbol,
          cost === null
            ? afterTrade(held, { qty: new Dec(qty), cost: new Dec(0) })
            : { qty: left, cost: held.cost.plus(cost) },
        );
      }
      if (amount !== null) setCash.run(cents(cashOf(account_id).plus(amount)), account_id);
      insertEntry.run({ ...entry, amount: amount === null ? null : cents(amount) });
    },
    fills: (accountId) => allFills.all(accountId),
    entries: (accountId) => allEntries.all(accountId),
  };
}

/** What accounts hold. Their table is the ledger's. */
interface Positions {
  all(accountId: string): PositionRecord[];
  one(accountId: string, symbol: string): PositionRecord | undefined;
  /** Nothing where there is none. */
  holding(accountId: string, symbol: string): Holding;
  put(accountId: string, symbol: string, holding: Holding): void;
}

function openPositions(database: Database.Database): Positions {
  const all = database.prepare<[string], PositionRecord>(
    'SELECT * FROM broker_positions WHERE account_id = ? ORDER BY symbol',
  );
  const one = database.prepare<[string, string], PositionRecord>(
    'SELECT * FROM broker_positions WHERE account_id = ? AND symbol = ?',
  );
  const put = database.prepare(
    `INSERT INTO broker_positions (account_id, symbol, qty, cost) VALUES (:account_id, :symbol, :qty, :cost)
     ON CONFLICT (account_id, symbol) DO UPDATE SET qty = excluded.qty, cost = excluded.cost`,
  );
  const drop = database.prepare<[string, string]>(
    'DELETE FROM broker_positions WHERE account_id = ? AND symbol = ?',
  );
  return {
    all: (accountId) => all.all(accountId),
    one: (accountId, symbol) => one.get(accountId, symbol),
    holding(accountId, symbol) {
      const held = one.get(accountId, symbol);
      return { qty: new Dec(held?.qty ?? 0), cost: new Dec(held?.cost ?? 0) };
    },
    put(account_id, symbol, { qty, cost }) {
      if (qty.isZero()) drop.run(account_id, symbol);
      else put.run({ account_id, symbol, qty: plain(qty), cost: plain(cost) });
    },
  };
}
