import { setTimeout } from 'node:timers/promises';
import { memoryRateBuckets } from '../store/memory-rate-buckets.ts';
import type { Rate, RateBuckets } from '../store/rate-buckets.ts';
import { defined } from '../values/defined.ts';
import type { GatewayOptions } from './gateway-options.ts';

type Paced = Pick<GatewayOptions, 'rates' | 'stores'>;

/** Unchanged without a rate, or without buckets. */
type Pace = (send: typeof fetch, bucket: string, rate: Rate | 'off' | undefined) => typeof fetch;

/** One process alone obeys only configured rates; a documented one is for several, which can't know of each other. */
export function paceOf({ stores, rates }: Paced): Pace {
  const buckets = stores.buckets ?? (rates && memoryRateBuckets());
  return (send, bucket, rate) =>
    buckets === undefined || rate === undefined || rate === 'off'
      ? send
      : pacedFetch(send, {
          buckets,
          bucket,
          rate,
          sleep: (ms, signal) => setTimeout(ms, undefined, defined({ signal })),
        });
}

/** For the identity provider. */
export const toProvider = (options: Paced, send: typeof fetch): typeof fetch =>
  paceOf(options)(send, 'provider', options.rates?.provider);

/** Part of the burst that reads leave for writes: an order does not wait for a screen. */
const FOR_ACTS = 0.2;
/** A request's timeout includes this wait; a longer one is answered as busy. Milliseconds. */
const LONGEST_WAIT_MS = 2_000;

interface Pacing {
  readonly buckets: RateBuckets;
  /** Each host has its own. */
  readonly bucket: string;
  readonly rate: Rate;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * Limits the rate of requests, for all gateways together. If the turn is too far off it answers 429 and `Retry-After` (RFC
 * 9110 §10.2.3), as the server would: proof that nothing was sent.
 */
export function pacedFetch(send: typeof fetch, { buckets, bucket, rate, sleep }: Pacing): typeof fetch {
  const forReads = { ...rate, burst: Math.max(1, rate.burst * (1 - FOR_ACTS)) };
  return async (input, init) => {
    const { host, isRead, signal } = partsOf(input, init);
    for (let waited = 0; ; ) {
      // If the database does not answer, the request is sent anyway.
      const wait = await buckets.take(`${bucket}|${host}`, isRead ? forReads : rate, 1).catch(() => 0);
      if (wait === 0) return await send(input, init);
      waited += wait;
      if (waited > LONGEST_WAIT_MS) return tooMany(wait);
      await sleep(wait, signal);
    }
  };
}

function partsOf(...[input, init]: Parameters<typeof fetch>) {
  const request = input instanceof Request ? input : undefined;
  const { host } = new URL(request?.url ?? input.toString());
  const method = init?.method ?? request?.method ?? 'GET';
  const isRead = ['GET', 'HEAD'].includes(method.toUpperCase());
  return { host, isRead, signal: init?.signal ?? request?.signal };
}

const tooMany = (wait: number): Response =>
  new Response(null, { status: 429, headers: { 'retry-after': String(Math.ceil(wait / 1_000)) } });
