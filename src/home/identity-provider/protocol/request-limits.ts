import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import { createMiddleware } from 'hono/factory';
import { errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { Clock } from '../../../machine/clock.ts';
import { clientAddress } from '../../../net/trusted-proxy.ts';
import { routes } from './protocol.ts';

/**
 * How often who may try what. What is wrong is counted by where it came from, never by whose door it was tried at alone:
 * a stranger who tries their luck uses up their own tries.
 */
export interface RequestLimits {
  /** Who a request comes from, as far as that can be told: one machine, or one IPv6 network. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** Device sign-ins begun, by address. */
  readonly deviceStarts: RateLimit;
  /** Programs that send a browser here to be let in, by its address. */
  readonly authorizations: RateLimit;
  /** Programs that register with nobody behind them, by address. */
  readonly openRegistrations: RateLimit;
  /** Documents of clients that are read, by the address that has them read. */
  readonly documents: RateLimit;
  /**
   * What was refused at an endpoint for programs (a wrong token, assertion or code), by address; by client where it had
   * proven who it is. Only what is wrong is answered 429: what is right is always answered, as nobody can guess it.
   */
  readonly refusals: RateLimit;
  /** Signals of companies, by address. */
  readonly signals: RateLimit;
  /** Clients that were let in, by person. */
  readonly registrations: RateLimit;
  /** Questions for a person's phone, by client. */
  readonly questions: RateLimit;
  /** Wrong device codes (34 bits, RFC 8628 §5.1), by address and person. */
  readonly deviceCodes: RateLimit;
  /** Passkey sign-ins that failed, by address. */
  readonly signIns: RateLimit;
  /** Wrong recovery codes, by address and person. */
  readonly recoveryCodes: RateLimit;
  /** Wrong recovery codes for whomever, by address. */
  readonly recoveries: RateLimit;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export function createRequestLimits(options: {
  readonly clock: Clock;
  /** Whose request it is; as the server tells of it, unless said otherwise. */
  readonly clientAddress?: ((request: IncomingMessage) => string) | undefined;
}): RequestLimits {
  const { clock, clientAddress: addressOf = clientAddress } = options;
  const limit = (burst: number, everyMs: number) => createRateLimit({ burst, everyMs, clock });
  return {
    addressOf: (request) => networkOf(addressOf(request)),
    deviceStarts: limit(100, 10 * SECOND),
    authorizations: limit(60, 5 * SECOND),
    openRegistrations: limit(20, MINUTE),
    documents: limit(20, 30 * SECOND),
    refusals: limit(100, SECOND),
    signals: limit(300, SECOND / 10),
    registrations: limit(60, 5 * MINUTE),
    questions: limit(60, 5 * SECOND),
    deviceCodes: limit(20, 15 * SECOND),
    signIns: limit(30, 10 * SECOND),
    recoveryCodes: limit(10, 90 * SECOND),
    recoveries: limit(50, 30 * SECOND),
  };
}

/** Whoever has one IPv6 address has the 2^64 of its network. */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [left = '', right] = address.toLowerCase().split('::', 2);
  const head = left.split(':').filter(Boolean);
  if (right === undefined) return `${head.slice(0, 4).join(':')}::/64`;
  const tail = right.split(':').filter(Boolean);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => '0');
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`;
}

/** What a program is told that tried too often. */
export function tooManyBody(wait: number): { error: string; error_description: string } {
  return { error: 'too_many_requests', error_description: `tried too often: come again in ${wait} s` };
}

/** The same, from inside one of the library's hooks. */
export function tooManyError(wait: number): Error {
  const { error, error_description } = tooManyBody(wait);
  return Object.assign(new errors.CustomOIDCProviderError(error, error_description), {
    status: 429,
    statusCode: 429,
  });
}

/** A bucket of tries for each key, filled again one by one. */
interface RateLimit {
  /** Seconds until this key may try again, whole and at least one; undefined where it may now. Changes nothing. */
  wait(key: string): number | undefined;
  /** Uses up a try, where there is one. @returns as `wait`, as it stood before */
  take(key: string): number | undefined;
}

interface RateLimitOptions {
  /** Tries at once. */
  readonly burst: number;
  /** Milliseconds until a used one is there again. */
  readonly everyMs: number;
  readonly clock: Pick<Clock, 'now'>;
  /** Keys that are remembered at most. */
  readonly mostKeys?: number;
}

const MOST_KEYS = 10_000;
const LONGEST_KEY = 200;

/**
 * One number for each key: when its bucket is full again (GCRA). Keys come from the network, so there are never more than
 * so many: the one that was used longest ago is forgotten first. Whoever has that many addresses to try from gains
 * nothing by it that they did not have.
 *
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
}: RateLimitOptions): RateLimit {
  const fullAt = new Map<string, number>();
  /** Milliseconds until the bucket is full. More than a whole bucket's only after the clock was set back: none then. */
  const missing = (key: string, now: number): number => {
    const ms = (fullAt.get(key) ?? now) - now;
    return ms > burst * everyMs ? 0 : Math.max(0, ms);
  };
  const waitOf = (key: string, now: number): number | undefined => {
    const left = missing(key, now) - (burst - 1) * everyMs;
    return left > 0 ? Math.max(1, Math.ceil(left / 1000)) : undefined;
  };
  return {
    wait: (given) => waitOf(given.slice(0, LONGEST_KEY), clock.now()),
    take(given) {
      const key = given.slice(0, LONGEST_KEY);
      const now = clock.now();
      const wait = waitOf(key, now);
      if (wait !== undefined) return wait;
      const full = now + missing(key, now) + everyMs;
      // The order of a map is that of insertion: what is used goes to its end.
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

/** Answers that are no wrong try: whoever waits for a person hears them again and again. */
const IN_ORDER = ['authorization_pending', 'slow_down', 'expired_token', 'access_denied'];

/**
 * In front of the library: who begins too many sign-ins, and who was refused too often.
 * @param passOn the home's own gateway and servers, which pass on what others bring: they are not the ones who try
 */
export function limitProtocol(limits: RequestLimits, passOn: readonly string[]) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    const address = limits.addressOf(ctx.req);
    if (ctx.path === routes.device_authorization && ctx.method === 'POST') {
      const wait = limits.deviceStarts.take(address);
      if (wait !== undefined) return tooMany(ctx, wait);
    }
    if (ctx.path === routes.authorization) {
      const wait = limits.authorizations.take(address);
      if (wait !== undefined) return tooMany(ctx, wait);
    }
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

/** The same for the endpoints that the library does not have: 401 is what counts there. */
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

function tooMany(ctx: KoaContextWithOIDC, wait: number): void {
  ctx.status = 429;
  ctx.set('retry-after', String(wait));
  ctx.set('cache-control', 'no-store');
  ctx.body = tooManyBody(wait);
}

function errorOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('error' in body)) return undefined;
  return String(body.error);
}

/** The client that has proven who it is. */
function provenClient(ctx: KoaContextWithOIDC, error: string): string | undefined {
  const client = ctx.oidc?.entities?.Client;
  if (client === undefined || error === 'invalid_client' || client.tokenEndpointAuthMethod === 'none')
    return undefined;
  return client.clientId;
}
