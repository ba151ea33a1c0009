import { createMemoryRateBuckets } from '../../store/memory-rate-buckets.ts';
import type { RateLimit } from '../../store/rate-buckets.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import type { Caller } from './caller.ts';

/** Kinds of requests with separate limits. `receipts` includes the audit log; `streams` counts opened streams. */
export type RateLimitedKind = 'reads' | 'receipts' | 'streams';

/** Rate limits per person, client and process (default {@link defaultCallerRates}; `off`: unlimited). */
export type CallerRates = Readonly<Partial<Record<RateLimitedKind, RateLimit | 'off' | undefined>>>;

/**
 * Default rate limits. A client needs up to 200 `reads` for a year of a busy account's activities, and a dozen for the
 * account's dashboard. `receipts` are limited more strictly, because each may read the whole audit log. The burst of
 * `streams` lets all 60 streams of a person reconnect at once.
 */
export const defaultCallerRates: Readonly<Record<RateLimitedKind, RateLimit>> = {
  reads: { perSecond: 20, burst: 300 },
  receipts: { perSecond: 1, burst: 20 },
  streams: { perSecond: 1, burst: 60 },
};

/** @throws {HttpProblem} 429 `too_many_requests`, with `Retry-After` */
export type EnforceRateLimit = (kind: RateLimitedKind, caller: Pick<Caller, 'sub' | 'clientId'>) => Promise<void>;

/**
 * Creates the rate limiter for callers' reads. The buckets are in memory, because a bucket in the database would cost
 * more than most reads. Requests that place or cancel orders or halt trading are not limited.
 */
export function createCallerRateLimiter(rates: CallerRates = {}): EnforceRateLimit {
  const buckets = createMemoryRateBuckets();
  return async (kind, { sub, clientId }) => {
    const rate = rates[kind] ?? defaultCallerRates[kind];
    if (rate === 'off') return;
    const wait = await buckets.take(JSON.stringify([kind, sub, clientId]), rate, 1);
    if (wait === 0) return;
    throw new HttpProblem(429, 'too_many_requests', `too many requests of this kind: ${kind}`, {
      hint: 'Wait as long as Retry-After says, then send the request again.',
      retryAfter: Math.ceil(wait / 1000),
      members: { limit: String(rate.burst) },
    });
  };
}
