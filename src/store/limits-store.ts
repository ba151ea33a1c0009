/**
 * Whether the gateway's rules had limits. A file that is emptied or gone then means that something went wrong, and not that
 * its owner wants none.
 */
export interface LimitsStore {
  hadLimits(): Promise<boolean>;
  /** Keeps the first time, milliseconds since the epoch: harmless to repeat. */
  remember(now: number): Promise<void>;
  /** Its owner wants none. */
  forget(): Promise<void>;
}
