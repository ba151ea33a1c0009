/**
 * Stores whether the gateway's rules ever contained limits. If so, an empty or missing rules file is an error, and does
 * not mean that the owner wants no limits.
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
