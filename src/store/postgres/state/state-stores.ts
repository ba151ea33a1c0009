import { threadProposals } from '../../sql/thread-proposals.ts';
import { threadStore } from '../../sql/thread-store.ts';
import type { OpenStateStores, StateStores } from '../../state-stores.ts';
import { postgresUnits } from '../sql-database.ts';
import type { TenantDatabase } from '../tenant-database.ts';
import { type PersonDatabase, personDatabase } from './person-database.ts';

/**
 * @param database a tenant's part of a database with `stateSchema`, which is closed with the stores
 * @param person the person's `sub` at the tenant's identity provider
 */
export function postgresState(database: TenantDatabase, person: string): OpenStateStores {
  let closing: Promise<void> | undefined;
  return {
    stores: postgresStateStores(personDatabase(database, person)),
    // PostgreSQL's autovacuum does this.
    reclaimSpace: () => undefined,
    close: () => {
      closing ??= database.close();
      return closing;
    },
  };
}

/** @param database one person's part of the database, which the caller closes */
export function postgresStateStores(database: PersonDatabase): StateStores {
  const units = postgresUnits(database);
  return {
    threads: threadStore(units),
    proposals: threadProposals(units),
    // Loaded with the first run, because loading LangGraph is slow.
    history: async (guard) => {
      const { PostgresHistorySaver } = await import('./history-saver.ts');
      return new PostgresHistorySaver(database, guard);
    },
  };
}
