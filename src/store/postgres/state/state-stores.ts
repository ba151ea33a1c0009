import type { OpenState, StateStores } from '../../state-stores.ts';
import type { TenantDatabase } from '../tenant-database.ts';
import { type PersonDatabase, personDatabase } from './person-database.ts';
import { postgresThreadProposals } from './thread-proposals.ts';
import { postgresThreadStore } from './thread-store.ts';

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
  return {
    threads: postgresThreadStore(database),
    proposals: postgresThreadProposals(database),
    // Loaded with the first run: LangGraph takes a while.
    history: async (guard) => {
      const { PostgresHistorySaver } = await import('./history-saver.ts');
      return new PostgresHistorySaver(database, guard);
    },
  };
}
