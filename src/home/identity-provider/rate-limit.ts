import type { Clock } from '../../machine/clock.ts';

/** A bucket of tries for each key, filled again one by one. */
export interface RateLimit {
  /** Seconds until this key may try again, whole and at least one; undefined where it may now. Changes nothing. */
  wait(key: string): number | undefined;
  /** Uses up a try, where there is one. @returns as `wait`, as it stood before */
  take(key: string): number | undefined;
}

export interface RateLimitOptions {
  /** Tries at once. */
  readonly burst: number;
  /** Milliseconds until a used one is there again. */
  readonly everyMs: number;
  readonly clock: Pick<Clock, 'now'>;
  /** Keys that are remembered at most. */
  readonly mostKeys?: number;
}

const MOST_KEYS = 10_000;
const LONGEST_KEY = 200;

/**
 * One number for each key: when its bucket is full again (GCRA). Keys come from the network, so there are never more than
 * so many: the one that was used longest ago is forgotten first. Whoever has that many addresses to try from gains
 * nothing by it that they did not have.
 *
 * @example
 * ```ts
 * import { systemClock } from '../../machine/clock.ts';
 * import { createRateLimit } from './rate-limit.ts';
 *
 * const guesses = createRateLimit({ burst: 20, everyMs: 15_000, clock: systemClock });
 *
 * // Only a wrong guess uses one up, and only of the address that it came from.
 * export function guess(address: string, isRight: () => boolean): 'right' | 'wrong' | { comeAgainIn: number } {
 *   const wait = guesses.wait(address);
 *   if (wait !== undefined) return { comeAgainIn: wait };
 *   if (isRight()) return 'right';
 *   guesses.take(address);
 *   return 'wrong';
 * }
 * ```
 */
export function createRateLimit({
  burst,
  everyMs,
  clock,
  mostKeys = MOST_KEYS,
}: RateLimitOptions): RateLimit {
  const fullAt = new Map<string, number>();
  /** Milliseconds until the bucket is full. More than a whole bucket's only after the clock was set back: none then. */
  const missing = (key: string, now: number): number => {
    const ms = (fullAt.get(key) ?? now) - now;
    return ms > burst * everyMs ? 0 : Math.max(0, ms);
  };
  const waitOf = (key: string, now: number): number | undefined => {
    const left = missing(key, now) - (burst - 1) * everyMs;
    return left > 0 ? Math.max(1, Math.ceil(left / 1000)) : undefined;
  };
  return {
    wait: (given) => waitOf(given.slice(0, LONGEST_KEY), clock.now()),
    take(given) {
      const key = given.slice(0, LONGEST_KEY);
      const now = clock.now();
      const wait = waitOf(key, now);
      if (wait !== undefined) return wait;
      const full = now + missing(key, now) + everyMs;
      // The order of a map is that of insertion: what is used goes to its end.
      fullAt.delete(key);
      fullAt.set(key, full);
      for (const [oldest, at] of fullAt) {
        if (at > now && fullAt.size <= mostKeys) break;
        fullAt.delete(oldest);
      }
      return undefined;
    },
  };
}
