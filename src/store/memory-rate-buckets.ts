import { type RateBuckets, requireTakeable } from './rate-buckets.ts';

/**
 * Buckets of one process, for whoever runs in one: what was taken is forgotten with it.
 * @param now milliseconds, of a clock that never goes back
 */
export function memoryRateBuckets(now: () => number = () => performance.now()): RateBuckets {
  /** When the next is due at each, if all that was taken had come evenly. */
  const dueAt = new Map<string, number>();
  return {
    async take(bucket, rate, tokens) {
      requireTakeable(rate, tokens);
      const at = now();
      const due = Math.max(dueAt.get(bucket) ?? at, at) + (tokens * 1000) / rate.perSecond;
      const wait = due - (at + (rate.burst * 1000) / rate.perSecond);
      if (wait > 0) return Math.ceil(wait);
      dueAt.set(bucket, due);
      return 0;
    },
  };
}
