import type { StateStores } from '../state-stores.ts';
import type { StateDatabase } from './state-database.ts';
import { sqliteThreadProposals } from './thread-proposals.ts';
import { sqliteThreadStore } from './thread-store.ts';

/** @param database as {@link openStateDatabase} opens it; its owner closes it */
export function sqliteStateStores(database: StateDatabase): StateStores {
  return {
    threads: sqliteThreadStore(database),
    proposals: sqliteThreadProposals(database),
    // Loaded with the first run: LangGraph takes a while.
    history: async (guard) => {
      const { HistorySaver } = await import('./history-saver.ts');
      return new HistorySaver(database, guard);
    },
  };
}
