import type { AuditHead, AuditNote } from './audit.ts';

export interface AuditCheckpoint extends AuditHead {
  /** The UTC day that the checkpoint closes, as YYYY-MM-DD. */
  readonly day: string;
  /** Whether an external authority has timestamped the checkpoint. */
  readonly anchored: boolean;
}

export interface AuditCheckpointStore {
  /** Returns the latest checkpoint, or undefined if `close` was never called. */
  last(): Promise<AuditCheckpoint | undefined>;
  /**
   * Writes the entry that closes a day, once. Does nothing if a later day was already closed, unless that later day is
   * still in the future (it was closed while the clock was ahead). The first call writes no entry, and only stores the
   * day after which days are closed.
   * @param days `day` is the day that has ended, and `today` is the current day
   * @param line builds the entry from the last entry and the previous checkpoint's hash; called within the transaction
   * @returns whether the entry was written
   */
  close(
    days: { readonly day: string; readonly today: string },
    line: (head: AuditHead, previous: string) => AuditNote,
    now: number,
  ): Promise<boolean>;
  /**
   * Records that the latest checkpoint was timestamped. Returns false if this was already recorded, or if `seq` is not
   * the latest checkpoint's number.
   */
  anchor(seq: number, note: AuditNote, now: number): Promise<boolean>;
}
