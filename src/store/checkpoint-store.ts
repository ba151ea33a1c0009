import type { AuditHead, AuditNote } from './audit.ts';

/** The latest signed checkpoint of the audit log. */
export interface AuditCheckpoint extends AuditHead {
  /** The UTC day that the checkpoint closes, YYYY-MM-DD. */
  readonly day: string;
  /** Whether an external authority has timestamped the checkpoint. */
  readonly anchored: boolean;
}

/**
 * The audit log's signed checkpoints, and whether the latest one is timestamped. Each method is one transaction that is
 * serialized with all writers of the log, so a second process finds the work already done.
 */
export interface CheckpointStore {
  /** Returns the latest checkpoint, or undefined if `close` was never called. */
  last(): Promise<AuditCheckpoint | undefined>;
  /**
   * Writes the entry that closes a day, once. Does nothing if a later day was already closed, unless that later day is
   * in the future because a clock was ahead. The first call ever writes no entry: it only sets the day after which days
   * are closed.
   * @param days `day` is the day that is over, and `today` the current one
   * @param line builds the entry from the last entry and the previous checkpoint's hash; called within the transaction
   * @returns whether the entry was written
   */
  close(
    days: { readonly day: string; readonly today: string },
    line: (head: AuditHead, previous: string) => AuditNote,
    now: number,
  ): Promise<boolean>;
  /**
   * Notes that the latest checkpoint was timestamped. Returns false if that was already noted or if it is no longer the
   * latest.
   */
  anchor(seq: number, note: AuditNote, now: number): Promise<boolean>;
}
