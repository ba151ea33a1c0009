import { type RateBuckets, validateTokenCount } from './rate-buckets.ts';

/** Number of buckets above which full buckets are deleted. A bucket that is not stored counts as full. */
const MIN_SWEPT_BUCKETS = 1_000;

/**
 * Creates rate buckets in memory, for a single process. Their state is lost when the process exits.
 * @param now a monotonic clock, in milliseconds
 */
export function createMemoryRateBuckets(now: () => number = () => performance.now()): RateBuckets {
  const dueAt = new Map<string, number>();
  let sweptSize = MIN_SWEPT_BUCKETS;
  const dropFull = (at: number) => {
    for (const [bucket, due] of dueAt) if (due <= at) dueAt.delete(bucket);
    sweptSize = Math.max(MIN_SWEPT_BUCKETS, dueAt.size * 2);
  };
  return {
    async take(bucket, rate, tokens) {
      validateTokenCount(rate, tokens);
      const at = now();
      const due = Math.max(dueAt.get(bucket) ?? at, at) + (tokens * 1000) / rate.perSecond;
      const wait = due - (at + (rate.burst * 1000) / rate.perSecond);
      if (wait > 0) return Math.ceil(wait);
      dueAt.set(bucket, due);
      if (dueAt.size > sweptSize) dropFull(at);
      return 0;
    },
  };
}
