import { createThreadProposalStore } from '../sql/thread-proposal-store.ts';
import { createThreadStore } from '../sql/thread-store.ts';
import type { ClosableStateStores, StateStores } from '../state-stores.ts';
import { createSqliteTransactions } from './sql-database.ts';
import { closeStateDatabase, reclaimSpace, type StateDatabase } from './state-database.ts';

/** Number of free pages to keep, because the thread will soon need them if it continues. */
const SPARE_PAGES = 64;

/** @param database opened by {@link openStateDatabase}; closed together with the stores */
export function createClosableSqliteStateStores(database: StateDatabase): ClosableStateStores {
  return {
    stores: createSqliteStateStores(database),
    reclaimSpace: () => reclaimSpace(database),
    close: async () => {
      if (!database.open) return;
      reclaimSpace(database, { leave: SPARE_PAGES });
      closeStateDatabase(database);
    },
  };
}

/** @param database opened by {@link openStateDatabase}; the caller closes it */
export function createSqliteStateStores(database: StateDatabase): StateStores {
  const units = createSqliteTransactions(database);
  return {
    threads: createThreadStore(units),
    proposals: createThreadProposalStore(units),
    // Loaded when the first run starts, because loading LangGraph is slow.
    history: async (guard) => {
      const { SqliteHistorySaver } = await import('./history-saver.ts');
      return new SqliteHistorySaver(database, guard);
    },
  };
}
