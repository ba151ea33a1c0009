import { type RateBuckets, validateTokenCount } from '../rate-buckets.ts';
import type { TenantDatabase } from './tenant-database.ts';

/*
 * Reads the clock again once the bucket's row is locked, so that time spent waiting for the lock does not shorten the
 * limit. If no tokens were taken, the returned wait is an estimate, because it is based on the row as of the start of
 * the statement.
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

/** @param database a database whose schema has the table `rate_buckets` */
export function postgresRateBuckets(database: TenantDatabase): RateBuckets {
  return {
    async take(bucket, rate, tokens) {
      validateTokenCount(rate, tokens);
      const values = { bucket, cost: tokens / rate.perSecond, most: rate.burst / rate.perSecond };
      // The write need not be durable: after a crash of the server, the tokens taken last are available again, once.
      // Therefore, nobody who waits for the row also waits for the disk.
      const row = await database.writeUnsynced((unit) => unit.last.one<{ wait: number }>(TAKE, values));
      return row?.wait ?? 0;
    },
  };
}
