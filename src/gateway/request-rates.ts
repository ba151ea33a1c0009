import { setTimeout } from 'node:timers/promises';
import type { Rate, RateBuckets } from '../store/rate-buckets.ts';
import { pacedFetch } from './paced-fetch.ts';

/** A `fetch` that goes by a bucket; the same one where there is no rate, or nothing that counts it. */
export type Pace = (send: typeof fetch, bucket: string, rate: Rate | 'off' | undefined) => typeof fetch;

export function paceBy(buckets: RateBuckets | undefined): Pace {
  return (send, bucket, rate) =>
    buckets === undefined || rate === undefined || rate === 'off'
      ? send
      : pacedFetch(send, {
          ...{ buckets, bucket, rate },
          sleep: (ms, signal) => setTimeout(ms, undefined, { ...(signal && { signal }) }),
        });
}
