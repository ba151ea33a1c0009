import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import { createMiddleware } from 'hono/factory';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../../../machine/clock.ts';
import { clientAddress } from '../../../net/trusted-proxy.ts';
import { protocolRoutes } from './protocol.ts';

export type RequestLimits = ReturnType<typeof createRequestLimits>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Creates the rate limits. Failures count per origin, so strangers can use up only their own attempts. */
export function createRequestLimits(options: {
  readonly clock: Clock;
  readonly clientAddress?: ((request: IncomingMessage) => string) | undefined;
}) {
  const { clock, clientAddress: addressOf = clientAddress } = options;
  const limit = (burst: number, intervalMs: number) => createRateLimit({ burst, intervalMs, clock });
  return {
    /** Returns a request's origin: an IPv4 address or an IPv6 network. */
    addressOf: (request: IncomingMessage) => networkOf(addressOf(request)),
    // Per address:
    deviceStarts: limit(100, 10 * SECOND),
    authorizations: limit(60, 5 * SECOND),
    openRegistrations: limit(20, MINUTE),
    documents: limit(20, 30 * SECOND),
    signals: limit(300, SECOND / 10),
    /** Failed passkey sign-ins. */
    signIns: limit(30, 10 * SECOND),
    /** Wrong recovery codes, for any account. */
    recoveries: limit(50, 30 * SECOND),
    /**
     * Requests with a wrong token, assertion or code. Counted per client if it was authenticated, or else per address.
     * Only these requests get 429. Valid tokens, assertions and codes always pass, because they can't be guessed.
     */
    refusals: limit(100, SECOND),
    // Per person:
    registrations: limit(60, 5 * MINUTE),
    /** Wrong device codes (34 bits, RFC 8628 §5.1), per address and person. */
    deviceCodes: limit(20, 15 * SECOND),
    /** Wrong recovery codes, per address and person. */
    recoveryCodes: limit(10, 90 * SECOND),
    /** Approval requests to a person's phone, per client. */
    questions: limit(60, 5 * SECOND),
  };
}

/** Reduces an IPv6 address to its /64 network, because one person usually controls all 2^64 addresses in it. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.toLowerCase().split('::', 2);
  const head = left.split(':').filter(Boolean);
  if (right === undefined) return `${head.slice(0, 4).join(':')}::/64`;
  const tail = right.split(':').filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}

function tooManyBody(wait: number): { error: string; error_description: string } {
  return { error: 'too_many_requests', error_description: `too many requests; try again in ${wait} s` };
}

/** Returns the error that the library's hooks throw for too many requests. */
export function tooManyRequestsError(wait: number): Error {
  const { error, error_description } = tooManyBody(wait);
  return Object.assign(new errors.CustomOIDCProviderError(error, error_description), {
    status: 429,
    statusCode: 429,
  });
}

const MAX_KEYS = 10_000;
const MAX_KEY_LENGTH = 200;

/**
 * Creates a token bucket per key, stored as the time at which it is full again (GCRA). Keys come from the network, so
 * their number is bounded, and the least recently used key is dropped. An attacker with enough addresses for that could
 * evade the limit anyway.
 * @example
 * ```ts
 * import { systemClock } from '../../../machine/clock.ts';
 * import { createRateLimit } from './request-limits.ts';
 *
 * const guesses = createRateLimit({ burst: 20, intervalMs: 15_000, clock: systemClock });
 *
 * // Only a wrong guess consumes an attempt, and only an attempt of its own address.
 * export function guess(address: string, isRight: () => boolean): 'right' | 'wrong' | { retryAfter: number } {
 *   const wait = guesses.wait(address);
 *   if (wait !== undefined) return { retryAfter: wait };
 *   if (isRight()) return 'right';
 *   guesses.take(address);
 *   return 'wrong';
 * }
 * ```
 */
export function createRateLimit({
  burst,
  intervalMs,
  clock,
  mostKeys = MAX_KEYS,
}: {
  readonly burst: number;
  /** Milliseconds until a used attempt is available again. */
  readonly intervalMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly mostKeys?: number;
}) {
  const fullAt = new Map<string, number>();
  /** Returns the milliseconds until the bucket is full; 0 if the stored time is implausible after a clock change. */
  const missing = (key: string, now: number): number => {
    const ms = (fullAt.get(key) ?? now) - now;
    return ms > burst * intervalMs ? 0 : Math.max(0, ms);
  };
  const waitOf = (key: string, now: number): number | undefined => {
    const left = missing(key, now) - (burst - 1) * intervalMs;
    return left > 0 ? Math.max(1, Math.ceil(left / 1000)) : undefined;
  };
  return {
    /** Returns the seconds until this key may try again, or undefined if it may try now. Consumes no attempt. */
    wait: (given: string) => waitOf(given.slice(0, MAX_KEY_LENGTH), clock.now()),
    /** Consumes an attempt if the key has one left. @returns what `wait` would have returned before this call */
    take(given: string): number | undefined {
      const key = given.slice(0, MAX_KEY_LENGTH);
      const now = clock.now();
      const wait = waitOf(key, now);
      if (wait !== undefined) return wait;
      const full = now + missing(key, now) + intervalMs;
      // Maps keep insertion order, so inserting a used key again moves it to the end.
      fullAt.delete(key);
      fullAt.set(key, full);
      for (const [oldest, at] of fullAt) {
        if (at > now && fullAt.size <= mostKeys) break;
        fullAt.delete(oldest);
      }
      return undefined;
    },
  };
}

/** Errors that don't count as failed attempts. A client that waits for a person's decision gets them repeatedly. */
const EXPECTED_ERRORS = ['authorization_pending', 'slow_down', 'expired_token', 'access_denied'];

/**
 * Returns middleware that limits clients that start too many sign-ins or fail too often. It runs before the library.
 * @param passOn IDs of the home's own gateway and servers, which forward other people's tokens
 */
export function limitProtocolRequests(limits: RequestLimits, passOn: readonly string[]) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    const address = limits.addressOf(ctx.req);
    const early = startLimit(ctx, limits)?.take(address);
    if (early !== undefined) return respondTooManyRequests(ctx, early);
    await next();
    const error = errorCode(ctx.body);
    if (ctx.status < 400 || ctx.status >= 500 || ctx.status === 429 || error === undefined) return;
    if (EXPECTED_ERRORS.includes(error)) return;
    const client = authenticatedClientId(ctx, error);
    if (client !== undefined && passOn.includes(client)) return;
    // The prefix distinguishes client keys from addresses.
    const wait = limits.refusals.take(client === undefined ? address : `client ${client}`);
    if (wait !== undefined) respondTooManyRequests(ctx, wait);
  };
}

function startLimit({ path, method }: KoaContextWithOIDC, limits: RequestLimits) {
  if (path === protocolRoutes.device_authorization && method === 'POST') return limits.deviceStarts;
  return path === protocolRoutes.authorization ? limits.authorizations : undefined;
}

/** Returns middleware that limits failures at endpoints outside the library, where only 401 responses count. */
export function limitUnauthorizedRequests(limits: RequestLimits) {
  return createMiddleware<{ Bindings: HttpBindings }>(async (context, next) => {
    await next();
    if (context.res.status !== 401) return;
    const wait = limits.refusals.take(limits.addressOf(context.env.incoming));
    if (wait === undefined) return;
    context.res = Response.json(tooManyBody(wait), {
      status: 429,
      headers: { 'cache-control': 'no-store', 'retry-after': String(wait) },
    });
  });
}

export function respondTooManyRequests(ctx: KoaContextWithOIDC, wait: number): void {
  ctx.status = 429;
  ctx.set('retry-after', String(wait));
  ctx.set('cache-control', 'no-store');
  ctx.body = tooManyBody(wait);
}

function errorCode(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  return String(body.error);
}

function authenticatedClientId(ctx: KoaContextWithOIDC, error: string): string | undefined {
  const client = ctx.oidc?.entities?.Client;
  if (client === undefined || error === 'invalid_client' || client.tokenEndpointAuthMethod === 'none') return undefined;
  return client.clientId;
}
