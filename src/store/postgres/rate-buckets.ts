import { type RateBuckets, requireTakeable } from '../rate-buckets.ts';
import type { TenantDatabase } from './tenant-database.ts';

/*
 * The clock is read again once the bucket's row is locked: who waited for it has not asked when it began to. What comes back
 * where nothing was taken goes by the row as it was when the statement began: the wait is a guess, what was taken is not.
 */
const TAKE = `
  WITH taken AS (
    INSERT INTO rate_buckets AS known (bucket, due_at) VALUES (@bucket, clock_timestamp() + make_interval(secs => @cost))
    ON CONFLICT (tenant, bucket) DO UPDATE
      SET due_at = greatest(known.due_at, clock_timestamp()) + make_interval(secs => @cost)
      WHERE greatest(known.due_at, clock_timestamp()) + make_interval(secs => @cost)
        <= clock_timestamp() + make_interval(secs => @most)
    RETURNING bucket
  )
  SELECT CASE WHEN EXISTS (SELECT FROM taken) THEN 0 ELSE greatest(1, ceil(1000 * (@cost - @most + coalesce(
    (SELECT extract(epoch FROM due_at - clock_timestamp()) FROM rate_buckets WHERE bucket = @bucket), @most)))) END
    ::bigint AS wait`;

/** @param database whose schema has `rate_buckets`: its tenant's buckets */
export function postgresRateBuckets(database: TenantDatabase): RateBuckets {
  return {
    async take(bucket, rate, tokens) {
      requireTakeable(rate, tokens);
      const values = { bucket, cost: tokens / rate.perSecond, most: rate.burst / rate.perSecond };
      // Where the server dies, what was taken in its last moments was not: a little more goes through once, and meanwhile
      // nobody who waits for the row waits for the disk.
      const row = await database.writeUnsynced((unit) => unit.last.one<{ wait: number }>(TAKE, values));
      return row?.wait ?? 0;
    },
  };
}
