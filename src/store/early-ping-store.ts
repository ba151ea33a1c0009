/**
 * The identity provider's pings (CIBA Core §10.2) that arrived before their question was stored, because the person
 * approved within milliseconds. In the database, because another gateway may have asked the question.
 */
export interface EarlyPingStore {
  /** Stores a ping, and removes those that are {@link MAX_EARLY_PING_AGE_MS} old. @param now milliseconds since the epoch */
  add(ping: string, now: number): Promise<void>;
  /** Removes these pings. Returns whether one of them was stored. */
  take(pings: readonly string[]): Promise<boolean>;
}

/** Milliseconds after which nobody asks for a ping any more, even if the gateways' clocks differ by minutes. */
export const MAX_EARLY_PING_AGE_MS = 10 * 60_000;
