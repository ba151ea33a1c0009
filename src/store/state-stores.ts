import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { ThreadLease, ThreadProposalStore, ThreadStore } from './thread-store.ts';

/** The lease for writing a thread's checkpoints, and the error to throw if another process has taken it. */
export interface LeaseGuard {
  readonly lease: ThreadLease;
  readonly lost: () => Error;
}

export interface StateStores {
  readonly threads: ThreadStore;
  readonly proposals: ThreadProposalStore;
  /**
   * Opens the store of LangGraph's checkpoints. Each transaction that writes a checkpoint checks that the guard's lease
   * is still held. Without this check, a process that was suspended for longer than its lease could write a checkpoint
   * after another process has taken over the thread. The graph would then continue from the old state, and the other
   * process's approval requests would be orphaned.
   * @param guard can be omitted if the caller only reads
   */
  history(guard?: LeaseGuard): Promise<BaseCheckpointSaver>;
}

export interface ClosableStateStores {
  readonly stores: StateStores;
  /** Returns free space to the file system, unless the database does that automatically. */
  reclaimSpace(): void;
  close(): Promise<void>;
}
