import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import { createMiddleware } from 'hono/factory';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../../../machine/clock.ts';
import { clientAddress } from '../../../net/trusted-proxy.ts';
import { routes } from './protocol.ts';

export type RequestLimits = ReturnType<typeof createRequestLimits>;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Failures are counted by where they came from, never by the account alone: a stranger uses up only their own tries. */
export function createRequestLimits(options: {
  readonly clock: Clock;
  readonly clientAddress?: ((request: IncomingMessage) => string) | undefined;
}) {
  const { clock, clientAddress: addressOf = clientAddress } = options;
  const limit = (burst: number, everyMs: number) => createRateLimit({ burst, everyMs, clock });
  return {
    /** Where a request comes from: one machine, or one IPv6 network. */
    addressOf: (request: IncomingMessage) => networkOf(addressOf(request)),
    // By address:
    deviceStarts: limit(100, 10 * SECOND),
    authorizations: limit(60, 5 * SECOND),
    openRegistrations: limit(20, MINUTE),
    documents: limit(20, 30 * SECOND),
    signals: limit(300, SECOND / 10),
    /** Failed passkey sign-ins. */
    signIns: limit(30, 10 * SECOND),
    /** Wrong recovery codes, whoever's. */
    recoveries: limit(50, 30 * SECOND),
    /**
     * Wrong tokens, assertions and codes, by address, or by client if it was authenticated. Only wrong requests are answered
     * 429; right ones are always answered, as nobody can guess them.
     */
    refusals: limit(100, SECOND),
    // By person:
    registrations: limit(60, 5 * MINUTE),
    /** Wrong device codes (34 bits, RFC 8628 §5.1), by address and person. */
    deviceCodes: limit(20, 15 * SECOND),
    /** Wrong recovery codes, by address and person. */
    recoveryCodes: limit(10, 90 * SECOND),
    /** Questions for a person's phone, by client. */
    questions: limit(60, 5 * SECOND),
  };
}

/** Whoever has one IPv6 address has the 2^64 addresses of its network. */
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
  return { error: 'too_many_requests', error_description: `tried too often: come again in ${wait} s` };
}

/** For the library's hooks. */
export function tooManyError(wait: number): Error {
  const { error, error_description } = tooManyBody(wait);
  return Object.assign(new errors.CustomOIDCProviderError(error, error_description), {
    status: 429,
    statusCode: 429,
  });
}

const MOST_KEYS = 10_000;
const LONGEST_KEY = 200;

/**
 * A token bucket for each key, kept as the time at which it is full again (GCRA). Keys come from the network, so their number
 * is bounded: the least recently used is forgotten first, which helps nobody who can try from that many addresses anyway.
 * @example
 * ```ts
 * import { systemClock } from '../../../machine/clock.ts';
 * import { createRateLimit } from './request-limits.ts';
 *
 * const guesses = createRateLimit({ burst: 20, everyMs: 15_000, clock: systemClock });
 *
 * // Only a wrong guess uses one up, and only of the address that it came from.
 * export function guess(address: string, isRight: () => boolean): 'right' | 'wrong' | { comeAgainIn: number } {
 *   const wait = guesses.wait(address);
 *   if (wait !== undefined) return { comeAgainIn: wait };
 *   if (isRight()) return 'right';
 *   guesses.take(address);
 *   return 'wrong';
 * }
 * ```
 */
export function createRateLimit({
  burst,
  everyMs,
  clock,
  mostKeys = MOST_KEYS,
}: {
  readonly burst: number;
  /** Milliseconds until a used try is available again. */
  readonly everyMs: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly mostKeys?: number;
}) {
  const fullAt = new Map<string, number>();
  /** Milliseconds until the bucket is full; 0 if it would be more than a whole bucket's, since the clock was set back. */
  const missing = (key: string, now: number): number => {
    const ms = (fullAt.get(key) ?? now) - now;
    return ms > burst * everyMs ? 0 : Math.max(0, ms);
  };
  const waitOf = (key: string, now: number): number | undefined => {
    const left = missing(key, now) - (burst - 1) * everyMs;
    return left > 0 ? Math.max(1, Math.ceil(left / 1000)) : undefined;
  };
  return {
    /** Seconds until this key may try again, at least 1; undefined if it may now. Changes nothing. */
    wait: (given: string) => waitOf(given.slice(0, LONGEST_KEY), clock.now()),
    /** Uses up a try, if there is one. @returns as `wait`, from before */
    take(given: string): number | undefined {
      const key = given.slice(0, LONGEST_KEY);
      const now = clock.now();
      const wait = waitOf(key, now);
      if (wait !== undefined) return wait;
      const full = now + missing(key, now) + everyMs;
      // Maps keep insertion order: what is used moves to the end.
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

/** Errors that are no wrong try: a client that waits for a person gets them again and again. */
const IN_ORDER = ['authorization_pending', 'slow_down', 'expired_token', 'access_denied'];

/**
 * In front of the library: who begins too many sign-ins, and who was refused too often.
 * @param passOn the home's own gateway and servers, which pass on what others bring
 */
export function limitProtocol(limits: RequestLimits, passOn: readonly string[]) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    const address = limits.addressOf(ctx.req);
    const early = startsOf(ctx, limits)?.take(address);
    if (early !== undefined) return tooMany(ctx, early);
    await next();
    const error = errorOf(ctx.body);
    if (ctx.status < 400 || ctx.status >= 500 || ctx.status === 429 || error === undefined) return;
    if (IN_ORDER.includes(error)) return;
    const client = provenClient(ctx, error);
    if (client !== undefined && passOn.includes(client)) return;
    // A key that no address can be.
    const wait = limits.refusals.take(client === undefined ? address : `client ${client}`);
    if (wait !== undefined) tooMany(ctx, wait);
  };
}

function startsOf({ path, method }: KoaContextWithOIDC, limits: RequestLimits) {
  if (path === routes.device_authorization && method === 'POST') return limits.deviceStarts;
  return path === routes.authorization ? limits.authorizations : undefined;
}

/** The same for endpoints outside the library, where only 401 counts. */
export function limitRefusals(limits: RequestLimits) {
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

export function tooMany(ctx: KoaContextWithOIDC, wait: number): void {
  ctx.status = 429;
  ctx.set('retry-after', String(wait));
  ctx.set('cache-control', 'no-store');
  ctx.body = tooManyBody(wait);
}

function errorOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  return String(body.error);
}

function provenClient(ctx: KoaContextWithOIDC, error: string): string | undefined {
  const client = ctx.oidc?.entities?.Client;
  if (client === undefined || error === 'invalid_client' || client.tokenEndpointAuthMethod === 'none')
    return undefined;
  return client.clientId;
}
