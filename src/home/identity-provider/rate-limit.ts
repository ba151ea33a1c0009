import type { Clock } from '../../machine/clock.ts';

/** Counts failures by key and says when there were too many. */
export interface RateLimit {
  /** Whether another try is allowed now. */
  allows(key: string): boolean;
  failed(key: string): void;
}

/**
 * At most `limit` failures per key within a sliding window. Everyone is on loopback, so an address tells nobody
 * apart: the key is what is being guessed (a username, or device codes as a whole).
 */
export function createRateLimit(options: { limit: number; windowMs: number; clock: Clock }): RateLimit {
  const failures = new Map<string, number[]>();
  const recent = (key: string) => {
    const since = options.clock.now() - options.windowMs;
    const kept = (failures.get(key) ?? []).filter((at) => at > since);
    if (kept.length === 0) failures.delete(key);
    else failures.set(key, kept);
    return kept;
  };
  return {
    allows: (key) => recent(key).length < options.limit,
    failed: (key) => {
      failures.set(key, [...recent(key), options.clock.now()]);
      // Keys come from the network: a flood of made-up usernames must not grow without bound.
      if (failures.size > 1000) for (const known of [...failures.keys()]) recent(known);
      if (failures.size > 1000) failures.delete(failures.keys().next().value ?? '');
    },
  };
}
