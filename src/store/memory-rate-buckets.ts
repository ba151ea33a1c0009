import { type RateBuckets, validateTake } from './rate-buckets.ts';

/**
 * Creates rate buckets in memory, for a single process. Their state is lost when the process exits.
 * @param now a monotonic clock, in milliseconds
 */
export function memoryRateBuckets(now: () => number = () => performance.now()): RateBuckets {
  /** Time at which each bucket is full again. */
  const dueAt = new Map<string, number>();
  return {
    async take(bucket, rate, tokens) {
      validateTake(rate, tokens);
      const at = now();
      const due = Math.max(dueAt.get(bucket) ?? at, at) + (tokens * 1000) / rate.perSecond;
      const wait = due - (at + (rate.burst * 1000) / rate.perSecond);
      if (wait > 0) return Math.ceil(wait);
      dueAt.set(bucket, due);
      return 0;
    },
  };
}
