/**
 * The identity provider's pings (CIBA Core §10.2) that arrived before their approval request was stored, because the
 * person approved within milliseconds. Stored in the database, because a different gateway may have sent the approval
 * request.
 */
export interface EarlyPingStore {
  /**
   * Stores a ping, and removes the pings that are older than {@link MAX_EARLY_PING_AGE_MS}.
   * @param now milliseconds since the epoch
   */
  add(ping: string, now: number): Promise<void>;
  /** Removes these pings. Returns whether any of them was stored. */
  take(pings: readonly string[]): Promise<boolean>;
}

/** Age at which no gateway needs a ping anymore, in milliseconds. Allows for clocks that differ by minutes. */
export const MAX_EARLY_PING_AGE_MS = 10 * 60_000;
