import type Database from 'better-sqlite3-multiple-ciphers';
import { contractOf, expiresAt } from '../../instruments/option-contracts.ts';
import { type ExerciseOptions, expire } from './exercise.ts';

export interface ExpirationsOptions extends ExerciseOptions {
  readonly database: Database.Database;
}

/** @returns what ends the contracts that have expired by now; quick where no session has closed since the last time */
export function createExpirations(options: ExpirationsOptions): () => void {
  const { database, ledger, market } = options;
  /** Contracts expire as a session closes. */
  let quietUntil = Number.NEGATIVE_INFINITY;
  const expireAll = database.transaction((now: number) => {
    for (const { id } of ledger.accounts()) {
      for (const { symbol } of ledger.positions(id)) {
        const contract = contractOf(market, symbol);
        if (contract !== undefined && now >= expiresAt(market, contract)) expire(options, id, contract);
      }
    }
  });
  return () => {
    const now = market.now();
    if (now < quietUntil) return;
    expireAll.immediate(now);
    quietUntil = market.nextClose(now);
  };
}
