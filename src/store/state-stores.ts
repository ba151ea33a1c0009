import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { Lease, ThreadProposals, ThreadStore } from './thread-store.ts';

/** The lease that allows writing checkpoints, and the error if another process has it. */
export interface HistoryGuard {
  readonly lease: Lease;
  readonly lost: () => Error;
}

/** The agent's stores for threads, in one database. */
export interface StateStores {
  readonly threads: ThreadStore;
  readonly proposals: ThreadProposals;
  /**
   * Opens LangGraph's checkpoints. Each write checks in its transaction that the guard's lease is still held. Otherwise, a
   * process that was suspended for longer than its lease could store a checkpoint after those of the process that took over.
   * The graph would continue from the old state, and the other process's approval requests would be orphaned.
   * @param guard omitted for reading only
   */
  history(guard?: HistoryGuard): Promise<BaseCheckpointSaver>;
}

/** Open stores, with a way to close them. */
export interface OpenState {
  readonly stores: StateStores;
  /** Returns the space of deleted data to the disk, if the database does not do that itself. */
  reclaimSpace(): void;
  /** Closes the stores. Further calls do nothing. */
  close(): Promise<void>;
}
