/**
 * Stores whether the gateway's rules contain limits. Once they do, an empty or missing rules file is treated as an
 * error, and not as the owner's wish to have no limits.
 */
export interface LimitsStore {
  hadLimits(): Promise<boolean>;
  /**
   * Stores the time of the first call. Later calls do nothing.
   * @param now milliseconds since the epoch
   */
  remember(now: number): Promise<void>;
  forget(): Promise<void>;
}
