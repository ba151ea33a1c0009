import { type RateBuckets, validateTokenCount } from './rate-buckets.ts';

/**
 * Creates rate buckets in memory, for a single process. Their state is lost when the process exits.
 * @param now a monotonic clock, in milliseconds
 */
export function createMemoryRateBuckets(now: () => number = () => performance.now()): RateBuckets {
  const dueAt = new Map<string, number>();
  return {
    async take(bucket, rate, tokens) {
      validateTokenCount(rate, tokens);
      const at = now();
      const due = Math.max(dueAt.get(bucket) ?? at, at) + (tokens * 1000) / rate.perSecond;
      const wait = due - (at + (rate.burst * 1000) / rate.perSecond);
      if (wait > 0) return Math.ceil(wait);
      dueAt.set(bucket, due);
      return 0;
    },
  };
}
