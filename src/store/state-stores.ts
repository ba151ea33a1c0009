import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { ThreadLease, ThreadProposals, ThreadStore } from './thread-store.ts';

/** The lease that is required to write checkpoints, and the error if another process has taken it. */
export interface LeaseGuard {
  readonly lease: ThreadLease;
  readonly lost: () => Error;
}

/** The agent's stores for threads, in one database. */
export interface StateStores {
  readonly threads: ThreadStore;
  readonly proposals: ThreadProposals;
  /**
   * Opens LangGraph's checkpoints. Each write checks, in its transaction, that the guard's lease is still held.
   * Otherwise, a process that was suspended for longer than its lease could write a checkpoint after the process that
   * took over the thread. The graph would then continue from the old state, and the other process's approval requests
   * would be orphaned.
   * @param guard omitted for reading only
   */
  history(guard?: LeaseGuard): Promise<BaseCheckpointSaver>;
}

export interface OpenStateStores {
  readonly stores: StateStores;
  /** Returns free space to the file system, if the database does not do so itself. */
  reclaimSpace(): void;
  /** Closes the stores. Further calls do nothing. */
  close(): Promise<void>;
}
