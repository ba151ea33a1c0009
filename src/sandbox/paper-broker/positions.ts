import type Database from 'better-sqlite3-multiple-ciphers';
import { Dec, plain } from '../../trading/decimal.ts';
import type { Holding } from './position-change.ts';
import type { PositionRecord } from './records.ts';

/** What accounts hold. Their table is the ledger's. */
export interface Positions {
  all(accountId: string): PositionRecord[];
  one(accountId: string, symbol: string): PositionRecord | undefined;
  /** Nothing where there is none. */
  holding(accountId: string, symbol: string): Holding;
  put(accountId: string, symbol: string, holding: Holding): void;
}

export function openPositions(database: Database.Database): Positions {
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
