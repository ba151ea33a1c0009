import type { AuditNote, TreeSigner } from './audit.ts';

/** A checkpoint that closes a day. */
export interface DayCheckpoint {
  /** The UTC day, as YYYY-MM-DD. */
  readonly day: string;
  /** Number of lines in the tree. */
  readonly size: number;
  /** The checkpoint's text. */
  readonly checkpoint: string;
  /** Whether an external authority has timestamped the checkpoint. */
  readonly anchored: boolean;
}

export interface AuditCheckpointStore {
  /** Returns the latest day's checkpoint, or undefined if no day was closed yet. */
  last(): Promise<DayCheckpoint | undefined>;
  /** Returns all days' checkpoints, in the order of their sizes. */
  list(): Promise<DayCheckpoint[]>;
  /**
   * Signs the tree to close a day. Signs nothing if the tree has not grown since the last checkpoint, or if this or a
   * later day was already closed. A closed day that is still in the future does not count: the clock was ahead. The
   * first call signs nothing either, and only stores the day after which days are closed.
   * @param days `day` is the day that has ended, and `today` is the current day
   * @returns whether the day was closed
   */
  close(days: { readonly day: string; readonly today: string }, signer: Pick<TreeSigner, 'sign'>): Promise<boolean>;
  /**
   * Records that the latest checkpoint was timestamped. Returns false if this was already recorded, or if `size` is not
   * the latest checkpoint's size.
   */
  anchor(size: number, note: AuditNote, now: number): Promise<boolean>;
}
