import type { AuditHead, AuditNote } from './audit.ts';

/** How far the record was last signed. */
export interface RecordCheckpoint extends AuditHead {
  /** The UTC day that it closes, YYYY-MM-DD. */
  readonly day: string;
  /** Whether somebody outside vouches for it. */
  readonly anchored: boolean;
}

/**
 * How far the record is signed, and vouched for by somebody outside. Each method is one unit of work, as of all who note lines:
 * whoever is second, in whichever process, finds it done.
 */
export interface CheckpointStore {
  /** The latest; undefined before the first look. */
  last(): Promise<RecordCheckpoint | undefined>;
  /**
   * Notes the line that closes a day, once: not where a later one was signed, unless that was of a clock which was ahead. At
   * the first look ever nothing is noted: days are counted from then on.
   * @param day the one that is over, `today` the one after it
   * @param line what is noted, by the last line there is and the hash of the checkpoint before. Called within the unit of work
   * @returns whether it was noted
   */
  close(
    days: { readonly day: string; readonly today: string },
    line: (head: AuditHead, previous: string) => AuditNote,
    now: number,
  ): Promise<boolean>;
  /** Notes that the latest is vouched for. False where it is already, or another is the latest by now; nothing was noted. */
  anchor(seq: number, note: AuditNote, now: number): Promise<boolean>;
}
