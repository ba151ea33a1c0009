import type { AuditHead, AuditNote } from './audit.ts';

/** The latest signed checkpoint of the audit log. */
export interface RecordCheckpoint extends AuditHead {
  /** The UTC day that it closes, YYYY-MM-DD. */
  readonly day: string;
  /** Whether an external party has timestamped it. */
  readonly anchored: boolean;
}

/**
 * The audit log's signed checkpoint, and whether it is anchored at an external party. Each method is one transaction that
 * is serialized with all writers of the log, so a second process finds the work already done.
 */
export interface CheckpointStore {
  /** Returns the latest checkpoint. Undefined before the first call of `close`. */
  last(): Promise<RecordCheckpoint | undefined>;
  /**
   * Writes the entry that closes a day, once. Does nothing if a later day was signed, unless that day is in the future, from
   * a clock that was ahead. The very first call writes no entry, and days are counted from then on.
   * @param days `day` is the day that is over, and `today` the current one
   * @param line builds the entry from the last one and the previous checkpoint's hash; called within the transaction
   * @returns whether the entry was written
   */
  close(
    days: { readonly day: string; readonly today: string },
    line: (head: AuditHead, previous: string) => AuditNote,
    now: number,
  ): Promise<boolean>;
  /** Notes that the latest checkpoint is anchored. Returns false if it already was or is no longer the latest. */
  anchor(seq: number, note: AuditNote, now: number): Promise<boolean>;
}
