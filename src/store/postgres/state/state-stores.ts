import { threadProposals } from '../../sql/thread-proposals.ts';
import { threadStore } from '../../sql/thread-store.ts';
import type { OpenState, StateStores } from '../../state-stores.ts';
import { postgresUnits } from '../sql-database.ts';
import type { TenantDatabase } from '../tenant-database.ts';
import { type PersonDatabase, personDatabase } from './person-database.ts';

/**
 * @param database a tenant's part of one with the tables of `stateSchema`; closed with the stores
 * @param person the subject at the tenant's identity provider
 */
export function postgresState(database: TenantDatabase, person: string): OpenState {
  let closing: Promise<void> | undefined;
  return {
    stores: postgresStateStores(personDatabase(database, person)),
    // The server's own business (autovacuum).
    giveBackSpace: () => undefined,
    close: () => {
      closing ??= database.close();
      return closing;
    },
  };
}

/** @param database one person's part of it; its owner closes it */
export function postgresStateStores(database: PersonDatabase): StateStores {
  const units = postgresUnits(database);
  return {
    threads: threadStore(units),
    proposals: threadProposals(units),
    // Loaded with the first run: LangGraph takes a while.
    history: async (guard) => {
      const { PostgresHistorySaver } = await import('./history-saver.ts');
      return new PostgresHistorySaver(database, guard);
    },
  };
}
