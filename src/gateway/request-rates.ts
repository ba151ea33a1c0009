import { setTimeout } from 'node:timers/promises';
import { memoryRateBuckets } from '../store/memory-rate-buckets.ts';
import type { Rate } from '../store/rate-buckets.ts';
import type { GatewayOptions } from './gateway-options.ts';
import { pacedFetch } from './paced-fetch.ts';

type Paced = Pick<GatewayOptions, 'rates' | 'stores'>;

/** A `fetch` that goes by a bucket; the same one where there is no rate, or nothing that counts it. */
export type Pace = (send: typeof fetch, bucket: string, rate: Rate | 'off' | undefined) => typeof fetch;

/** One process alone is held to what was set; what a broker documents is for several, which can't know of each other. */
export function paceOf({ stores, rates }: Paced): Pace {
  const buckets = stores.buckets ?? (rates && memoryRateBuckets());
  return (send, bucket, rate) =>
    buckets === undefined || rate === undefined || rate === 'off'
      ? send
      : pacedFetch(send, {
          ...{ buckets, bucket, rate },
          sleep: (ms, signal) => setTimeout(ms, undefined, { ...(signal && { signal }) }),
        });
}

/** For requests to the identity provider. */
export const toProvider = (options: Paced, send: typeof fetch): typeof fetch =>
  paceOf(options)(send, 'provider', options.rates?.provider);
