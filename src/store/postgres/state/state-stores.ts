import type { OpenState, StateStores } from '../../state-stores.ts';
import type { TenantDatabase } from '../tenant-database.ts';
import { postgresThreadProposals } from './thread-proposals.ts';
import { postgresThreadStore } from './thread-store.ts';

/** @param database a tenant's part of one with the tables of `stateSchema`; closed with the stores */
export function postgresState(database: TenantDatabase): OpenState {
  let closing: Promise<void> | undefined;
  return {
    stores: postgresStateStores(database),
    // The server's own business (autovacuum).
    giveBackSpace: () => undefined,
    close: () => {
      closing ??= database.close();
      return closing;
    },
  };
}

/** @param database as above; its owner closes it */
export function postgresStateStores(database: TenantDatabase): StateStores {
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
