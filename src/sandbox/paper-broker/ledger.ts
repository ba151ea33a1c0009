import type Database from 'better-sqlite3-multiple-ciphers';
import { cents, Dec, plain } from '../../trading/decimal.ts';
import type { AccountRecord, CashFlowRecord, FillRecord, PositionRecord } from './records.ts';

/** Accounts, their cash, positions and the fills and deposits these come from. */
export interface Ledger {
  account(id: string): AccountRecord | undefined;
  accountOf(username: string): AccountRecord | undefined;
  openAccount(account: Omit<AccountRecord, 'cash'>): void;
  deposit(accountId: string, amount: string, at: number): void;
  positions(accountId: string): PositionRecord[];
  position(accountId: string, symbol: string): PositionRecord | undefined;
  /**
   * Books a fill: cash, position and the fill itself. Call it inside a transaction.
   * @returns false, with nothing changed, where cash or shares don't suffice
   */
  book(fill: Omit<FillRecord, 'amount'>): boolean;
  fills(accountId: string): FillRecord[];
  cashFlows(accountId: string): CashFlowRecord[];
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
  CREATE TABLE IF NOT EXISTS broker_cash_flows (
    seq INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES broker_accounts (id), amount TEXT NOT NULL,
    at INTEGER NOT NULL
  ) STRICT;`;

export function openLedger(database: Database.Database): Ledger {
  database.exec(TABLES);

  const byId = database.prepare<[string], AccountRecord>('SELECT * FROM broker_accounts WHERE id = ?');
  const byUsername = database.prepare<[string], AccountRecord>(
    'SELECT * FROM broker_accounts WHERE username = ?',
  );
  const insertAccount = database.prepare(
    `INSERT INTO broker_accounts (id, number, username, created_at, cash)
     VALUES (:id, :number, :username, :created_at, '0.00')`,
  );
  const setCash = database.prepare<[string, string]>('UPDATE broker_accounts SET cash = ? WHERE id = ?');
  const insertCashFlow = database.prepare(
    'INSERT INTO broker_cash_flows (account_id, amount, at) VALUES (:account_id, :amount, :at)',
  );
  const allPositions = database.prepare<[string], PositionRecord>(
    'SELECT * FROM broker_positions WHERE account_id = ? ORDER BY symbol',
  );
  const onePosition = database.prepare<[string, string], PositionRecord>(
    'SELECT * FROM broker_positions WHERE account_id = ? AND symbol = ?',
  );
  const putPosition = database.prepare(
    `INSERT INTO broker_positions (account_id, symbol, qty, cost) VALUES (:account_id, :symbol, :qty, :cost)
     ON CONFLICT (account_id, symbol) DO UPDATE SET qty = excluded.qty, cost = excluded.cost`,
  );
  const dropPosition = database.prepare<[string, string]>(
    'DELETE FROM broker_positions WHERE account_id = ? AND symbol = ?',
  );
  const insertFill = database.prepare(
    `INSERT INTO broker_fills (account_id, order_id, symbol, side, qty, price, amount, at)
     VALUES (:account_id, :order_id, :symbol, :side, :qty, :price, :amount, :at)`,
  );
  const allFills = database.prepare<[string], FillRecord>(
    `SELECT account_id, order_id, symbol, side, qty, price, amount, at FROM broker_fills
     WHERE account_id = ? ORDER BY at, seq`,
  );
  const allCashFlows = database.prepare<[string], CashFlowRecord>(
    'SELECT account_id, amount, at FROM broker_cash_flows WHERE account_id = ? ORDER BY at, seq',
  );

  const cashOf = (accountId: string): Dec => {
    const account = byId.get(accountId);
    if (account === undefined) throw new Error('the ledger has no such account');
    return new Dec(account.cash);
  };

  return {
    account: (id) => byId.get(id),
    accountOf: (username) => byUsername.get(username),
    openAccount(account) {
      insertAccount.run(account);
    },
    deposit(accountId, amount, at) {
      insertCashFlow.run({ account_id: accountId, amount: cents(amount), at });
      setCash.run(cents(cashOf(accountId).plus(amount)), accountId);
    },
    positions: (accountId) => allPositions.all(accountId),
    position: (accountId, symbol) => onePosition.get(accountId, symbol),
    book(fill) {
      const amount = cents(new Dec(fill.qty).times(fill.price));
      const cash = cashOf(fill.account_id);
      if (fill.side === 'buy' && cash.lt(amount)) return false;
      const position = positionAfter(onePosition.get(fill.account_id, fill.symbol), fill, amount);
      if (position === undefined) return false;

      if (new Dec(position.qty).isZero()) dropPosition.run(fill.account_id, fill.symbol);
      else putPosition.run(position);
      setCash.run(cents(fill.side === 'buy' ? cash.minus(amount) : cash.plus(amount)), fill.account_id);
      insertFill.run({ ...fill, amount });
      return true;
    },
    fills: (accountId) => allFills.all(accountId),
    cashFlows: (accountId) => allCashFlows.all(accountId),
  };
}

/**
 * A position and what was paid for it once a fill of `amount` dollars is booked; none left is a `qty` of zero.
 * @returns undefined where more would be sold than there is
 */
function positionAfter(
  held: PositionRecord | undefined,
  { account_id, symbol, side, qty }: Omit<FillRecord, 'amount'>,
  amount: string,
): PositionRecord | undefined {
  const heldQty = new Dec(held?.qty ?? 0);
  const heldCost = new Dec(held?.cost ?? 0);
  const left = side === 'buy' ? heldQty.plus(qty) : heldQty.minus(qty);
  if (left.lt(0)) return undefined;
  if (left.isZero()) return { account_id, symbol, qty: '0', cost: '0' };
  const cost = side === 'buy' ? heldCost.plus(amount) : heldCost.times(left).div(heldQty).toDecimalPlaces(9);
  return { account_id, symbol, qty: plain(left), cost: plain(cost) };
}
