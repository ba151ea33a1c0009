import type { CheckStore, StoredNotice } from '../../check-store.ts';
import { checkStore } from '../../sql/check-store.ts';
import { postgresUnits, runWork } from '../sql-database.ts';
import type { Unit } from '../tenant-database.ts';
import type { PersonDatabase } from './person-database.ts';

/**
 * @param database one person's rows in a database with `stateSchema`; the caller closes it
 * @param kept enqueues the job that sends a new notice, in the transaction that stores the notice
 */
export function postgresCheckStore<Notice extends StoredNotice>(
  database: PersonDatabase,
  kept: (unit: Unit, id: string) => Promise<void> = async () => undefined,
): CheckStore<Notice> {
  const store = checkStore<Notice>(postgresUnits(database), (work) =>
    database.write(async (unit) => {
      for (const id of await runWork(unit, work())) await kept(unit, id);
    }),
  );
  return { ...store, close: () => undefined };
}
