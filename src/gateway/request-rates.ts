import { setTimeout } from 'node:timers/promises';
import { tracedFetch } from '../net/trace-context.ts';
import { createMemoryRateBuckets } from '../store/memory-rate-buckets.ts';
import type { RateBuckets, RateLimit } from '../store/rate-buckets.ts';
import { defined } from '../values/defined.ts';
import type { GatewayOptions } from './gateway-options.ts';

type Paced = Pick<GatewayOptions, 'rates' | 'stores'>;

/** Wraps `send` with a rate limit. Returns `send` unchanged if there is no rate limit. */
type RateLimiter = (send: typeof fetch, bucket: string, rate: RateLimit | 'off' | undefined) => typeof fetch;

/** Creates a limiter with the buckets that all gateways share or, if there are none, with buckets in this process. */
export function createRateLimiter({ stores, rates }: Paced): RateLimiter {
  const buckets = stores.buckets ?? ((rates?.broker ?? rates?.provider) && createMemoryRateBuckets());
  return (send, bucket, rate) =>
    buckets === undefined || rate === undefined || rate === 'off'
      ? send
      : createRateLimitedFetch(send, {
          buckets,
          bucket,
          rate,
          sleep: (ms, signal) => setTimeout(ms, undefined, defined({ signal })),
        });
}

/** Returns a `fetch` for the provider that applies the rate limit and adds the trace to each request. */
export const rateLimitedProviderFetch = (options: Paced, send: typeof fetch): typeof fetch =>
  createRateLimiter(options)(tracedFetch(send), 'provider', options.rates?.provider);

/** Fraction of each burst that is reserved for writes, so that orders don't have to wait for reads. */
const WRITE_RESERVE = 0.2;
/**
 * Maximum wait for the rate limit, in milliseconds. The wait counts toward the request's timeout. A request that would
 * have to wait longer gets status 429.
 */
const MAX_WAIT_MS = 2_000;

interface Pacing {
  readonly buckets: RateBuckets;
  /** Name of the token bucket. Each host has a separate bucket. */
  readonly bucket: string;
  readonly rate: RateLimit;
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

/**
 * Returns a `fetch` that limits the combined request rate of all gateways. If the wait is too long, it returns 429 with
 * `Retry-After` (RFC 9110 §10.2.3), as the server would, so that the caller knows that the request was not sent.
 */
export function createRateLimitedFetch(send: typeof fetch, { buckets, bucket, rate, sleep }: Pacing): typeof fetch {
  const forReads = { ...rate, burst: Math.max(1, rate.burst * (1 - WRITE_RESERVE)) };
  return async (input, init) => {
    const { host, isRead, signal } = partsOf(input, init);
    for (let waited = 0; ; ) {
      // Sends the request without a limit if the database does not answer.
      const wait = await buckets.take(`${bucket}|${host}`, isRead ? forReads : rate, 1).catch(() => 0);
      if (wait === 0) return await send(input, init);
      waited += wait;
      if (waited > MAX_WAIT_MS) return tooMany(wait);
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
