import type { BaseCheckpointSaver } from '@langchain/langgraph-checkpoint';
import type { Lease, ThreadProposals, ThreadStore } from './thread-store.ts';

/** By which right checkpoints are written, and what is thrown once it is another's. */
export interface HistoryGuard {
  readonly lease: Lease;
  readonly lost: () => Error;
}

/** All that the agent keeps of its threads, in one database. */
export interface StateStores {
  readonly threads: ThreadStore;
  readonly proposals: ThreadProposals;
  /**
   * LangGraph's checkpoints. Each write looks in its own transaction whether the lease of the guard is still held: a process
   * that stood still for longer than its lease would otherwise, on waking, store a checkpoint on top of those of the
   * process that took over, the graph would go on from the old one, and approvals that the other asked for would belong
   * to nothing.
   * @param guard left out by who only reads
   */
  history(guard?: HistoryGuard): Promise<BaseCheckpointSaver>;
}

/** Stores that were opened, until they are closed. */
export interface OpenState {
  readonly stores: StateStores;
  /** Gives the space of what was removed back, where that is for us to do. */
  giveBackSpace(): void;
  /** May be called again. */
  close(): Promise<void>;
}
