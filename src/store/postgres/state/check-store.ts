import type { CheckStore, StoredNotice } from '../../check-store.ts';
import { createCheckStore } from '../../sql/check-store.ts';
import { postgresTransactions, runTransactionWork } from '../sql-database.ts';
import type { Transaction } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

/**
 * @param database one person's rows in a database with `stateSchema`; the caller closes it
 * @param kept called in the transaction that stores a new notice, to enqueue the job that sends the notice
 */
export function postgresCheckStore<Notice extends StoredNotice>(
  database: PersonDatabase,
  kept: (unit: Transaction, id: string) => Promise<void> = async () => undefined,
): CheckStore<Notice> {
  const store = createCheckStore<Notice>(postgresTransactions(database), (work) =>
    database.write(async (unit) => {
      for (const id of await runTransactionWork(unit, work())) await kept(unit, id);
    }),
  );
  return { ...store, close: () => undefined };
}
