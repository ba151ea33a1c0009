/**
 * Remembers that the gateway's rules have limits. If they do, an empty or missing file is an error, not the owner's wish
 * to have no limits.
 */
export interface LimitsStore {
  hadLimits(): Promise<boolean>;
  /** Stores the time of the first call, in milliseconds since the epoch. Later calls do nothing. */
  remember(now: number): Promise<void>;
  /** Called when the owner removes all limits. */
  forget(): Promise<void>;
}
