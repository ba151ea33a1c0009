import { createThreadProposalStore } from '../../sql/thread-proposal-store.ts';
import { createThreadStore } from '../../sql/thread-store.ts';
import type { ClosableStateStores, StateStores } from '../../state-stores.ts';
import { postgresTransactions } from '../sql-database.ts';
import type { TenantDatabase } from '../tenant-database.ts';
import { limitToPerson, type PersonDatabase } from './person-database.ts';

/**
 * @param database a database with `stateSchema`, opened for one tenant; closed together with the stores
 * @param person the person's `sub` at the tenant's identity provider
 */
export function openPostgresStateStores(database: TenantDatabase, person: string): ClosableStateStores {
  let closing: Promise<void> | undefined;
  return {
    stores: postgresStateStores(limitToPerson(database, person)),
    // PostgreSQL's autovacuum frees space.
    reclaimSpace: () => undefined,
    close: () => {
      closing ??= database.close();
      return closing;
    },
  };
}

/** @param database one person's rows in a database with `stateSchema`; the caller closes it */
export function postgresStateStores(database: PersonDatabase): StateStores {
  const units = postgresTransactions(database);
  return {
    threads: createThreadStore(units),
    proposals: createThreadProposalStore(units),
    // Loaded when the first run starts, because loading LangGraph is slow.
    history: async (guard) => {
      const { PostgresHistorySaver } = await import('./history-saver.ts');
      return new PostgresHistorySaver(database, guard);
    },
  };
}
