import type Database from 'better-sqlite3-multiple-ciphers';
import { contractMultiplier } from '../../trading/asset-class.ts';
import { Dec, toCents, toPlain } from '../../trading/decimal.ts';
import type { AccountRecord, FillRecord, LedgerEntryRecord, PositionRecord } from './records.ts';

export interface MarginPermissions {
  /** Whether the account may sell shares that it does not hold. */
  readonly short?: boolean;
  /** Whether the account's cash may become negative. */
  readonly overdraft?: boolean;
}

/** The accounts' cash and positions, and the fills and other entries that produced them. */
export type Ledger = ReturnType<typeof openLedger>;

export function openLedger(database: Database.Database) {
  const positions = openPositions(database);
  const byId = database.prepare<[string], AccountRecord>('SELECT * FROM broker_accounts WHERE id = ?');
  const byUsername = database.prepare<[string], AccountRecord>('SELECT * FROM broker_accounts WHERE username = ?');
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
  const allEntries = database.prepare<[string], LedgerEntryRecord>(
    `SELECT account_id, type, sub_type, date, at, symbol, qty, cost, amount, entitled, per_share, group_id
     FROM broker_entries WHERE account_id = ? ORDER BY at, seq`,
  );

  const cashOf = (accountId: string): Dec => {
    const account = byId.get(accountId);
    if (account === undefined) throw new Error('the ledger does not have this account');
    return new Dec(account.cash);
  };

  return {
    account: (id: string) => byId.get(id),
    accountOf: (username: string) => byUsername.get(username),
    accounts: () => allAccounts.all(),
    openAccount: (account: Omit<AccountRecord, 'cash'>) => void insertAccount.run(account),
    positions: positions.all,
    position: positions.one,
    /**
     * Books a fill, and the resulting changes in cash and position. Call it within a transaction.
     * @returns false, with nothing changed, if the account has too little cash or too few shares and may not overdraw
     * its cash or sell short
     */
    book(fill: Omit<FillRecord, 'amount'>, { short = false, overdraft = false }: MarginPermissions = {}): boolean {
      const amount = toCents(new Dec(fill.qty).times(fill.price).times(contractMultiplier(fill.symbol)));
      const sign = fill.side === 'buy' ? 1 : -1;
      const cash = cashOf(fill.account_id).minus(new Dec(amount).times(sign));
      const held = positions.holding(fill.account_id, fill.symbol);
      const left = holdingAfterTrade(held, {
        qty: new Dec(fill.qty).times(sign),
        cost: new Dec(amount).times(sign),
      });
      if (fill.side === 'buy' && cash.lt(0) && !overdraft) return false;
      if (fill.side === 'sell' && left.qty.lt(0) && !short) return false;
      positions.put(fill.account_id, fill.symbol, left);
      setCash.run(toCents(cash), fill.account_id);
      insertFill.run({ ...fill, amount });
      return true;
    },
    /** Books a change that is not a trade, even if cash or shares become negative. Call it within a transaction. */
    enter(entry: LedgerEntryRecord): void {
      const { account_id, symbol, qty, cost, amount } = entry;
      if (symbol !== null && qty !== null) {
        const held = positions.holding(account_id, symbol);
        const left = held.qty.plus(qty);
        positions.put(
          account_id,
          symbol,
          cost === null
            ? holdingAfterTrade(held, { qty: new Dec(qty), cost: new Dec(0) })
            : { qty: left, cost: held.cost.plus(cost) },
        );
      }
      if (amount !== null) setCash.run(toCents(cashOf(account_id).plus(amount)), account_id);
      insertEntry.run({ ...entry, amount: amount === null ? null : toCents(amount) });
    },
    fills: (accountId: string) => allFills.all(accountId),
    entries: (accountId: string) => allEntries.all(accountId),
  };
}

function openPositions(database: Database.Database) {
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
  const drop = database.prepare<[string, string]>('DELETE FROM broker_positions WHERE account_id = ? AND symbol = ?');
  return {
    all: (accountId: string) => all.all(accountId),
    one: (accountId: string, symbol: string) => one.get(accountId, symbol),
    /** Returns an account's holding of a symbol. The holding is zero if the account has no position. */
    holding(accountId: string, symbol: string): Holding {
      const held = one.get(accountId, symbol);
      return { qty: new Dec(held?.qty ?? 0), cost: new Dec(held?.cost ?? 0) };
    },
    put(account_id: string, symbol: string, { qty, cost }: Holding): void {
      if (qty.isZero()) drop.run(account_id, symbol);
      else put.run({ account_id, symbol, qty: toPlain(qty), cost: toPlain(cost) });
    },
  };
}

/** A number of shares and their cost in dollars. The number and the cost are negative for a short position. */
export interface Holding {
  readonly qty: Dec;
  readonly cost: Dec;
}

/**
 * Returns a holding after a trade. A trade that increases the holding adds its amount to the cost. A trade that reduces
 * the holding removes a proportional part of the cost. Selling more shares than are held opens a short position at the
 * sale's price, and vice versa.
 * @param traded number of shares and amount of the trade, both negative for a sale
 */
function holdingAfterTrade(held: Holding, traded: Holding): Holding {
  const qty = held.qty.plus(traded.qty);
  if (qty.isZero()) return { qty, cost: new Dec(0) };
  const adds = held.qty.isZero() || held.qty.isNegative() === traded.qty.isNegative();
  if (adds) return { qty, cost: held.cost.plus(traded.cost) };
  const [of, whole] = qty.isNegative() === held.qty.isNegative() ? [held.cost, held.qty] : [traded.cost, traded.qty];
  return { qty, cost: of.times(qty).div(whole).toDecimalPlaces(9) };
}
