import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import * as oauth from 'oauth4webapi';
import {
  clockSecondsAhead,
  hasClockOffsetChanged,
  providerNow,
  withClockComparison,
} from '../../auth/provider/provider-clock.ts';
import type { Clock } from '../../machine/clock.ts';
import { createBoundedFetch, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { isPlainHttpLoopback, mayReferTo, requireSecureUrl } from '../../net/secure-url.ts';
import { tracedFetch } from '../../net/trace-context.ts';
import { HttpProblem } from '../../trading/http-problem.ts';

/** The identity provider's metadata and keys. The gateway accepts only tokens from this provider. */
export interface IdentityProvider {
  /** Returns the RFC 8414 metadata, cached for an hour. @throws {HttpProblem} 503 `provider_unreachable` */
  metadata(): Promise<oauth.AuthorizationServer>;
  /** @throws {HttpProblem} 401 `token_key_unknown`, 503 `provider_unreachable` */
  readonly key: JWTVerifyGetKey;
  /** The provider's clock. Undefined if the provider runs in this process, because it then uses the same clock. */
  readonly time?: ProviderTime | undefined;
}

/** The identity provider's clock, which decides whether a token is valid. */
interface ProviderTime {
  /** Returns the provider's time, in milliseconds since the epoch. */
  now(): number;
  /** Returns how many seconds this machine's clock is ahead of the provider's; 0 if unknown or only a few seconds. */
  secondsAhead(): number;
  /**
   * Reads the provider's time, unless it was read recently and this machine's clock has not been set since then. Never
   * rejects.
   * @param before an earlier result of `secondsAhead`
   * @returns whether `secondsAhead` now returns a different number
   */
  compare(before: number): Promise<boolean>;
}

const METADATA_AGE_MS = 60 * 60 * 1000;
/** Minimum time between key fetches, so that tokens with unknown key IDs can't make the gateway flood the provider. */
const JWKS_COOLDOWN_MS = 10_000;
const JWKS_AGE_MS = 10 * 60 * 1000;
/**
 * Minimum time between reads of the provider's time, so that expired tokens can't make the gateway flood the provider.
 */
const COMPARISON_COOLDOWN_MS = 10_000;
/** If the wall clock and monotonic clock diverge by this much, the wall clock was set or the machine was suspended. */
const MIN_CLOCK_CHANGE_MS = 1_000;

export interface IdentityProviderOptions {
  readonly issuer: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** @throws {TradeAgentError} `invalid_config` for an issuer that is neither https nor on loopback */
export function createIdentityProvider(given: IdentityProviderOptions): IdentityProvider {
  const { clock } = given;
  const issuer = requireSecureUrl(given.issuer);
  const options = { ...given, fetch: withClockComparison(given.issuer, clock, tracedFetch(given.fetch)) };

  let known: { at: number; metadata: oauth.AuthorizationServer } | undefined;
  let pending: Promise<oauth.AuthorizationServer> | undefined;
  let jwks: { url: string; key: ReturnType<typeof createRemoteJWKSet> } | undefined;

  const metadata = (): Promise<oauth.AuthorizationServer> => {
    if (known !== undefined && clock.monotonic() - known.at < METADATA_AGE_MS) return Promise.resolve(known.metadata);
    pending ??= discover(issuer, options)
      .then((found) => {
        known = { at: clock.monotonic(), metadata: found };
        return found;
      })
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };

  const key: JWTVerifyGetKey = async (header, token) => {
    const { jwks_uri } = await metadata();
    if (jwks_uri === undefined) throw unreachable(undefined);
    if (jwks?.url !== jwks_uri) {
      jwks = {
        url: jwks_uri,
        key: createRemoteJWKSet(requireSecureUrl(jwks_uri), {
          [customFetch]: createBoundedFetch(options.fetch, MAX_PROVIDER_RESPONSE_BYTES),
          cooldownDuration: JWKS_COOLDOWN_MS,
          cacheMaxAge: JWKS_AGE_MS,
          timeoutDuration: options.timeoutMs,
        }),
      };
    }
    try {
      return await jwks.key(header, token);
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys) {
        throw new HttpProblem(
          401,
          'token_key_unknown',
          'the access token is signed with a key that the issuer does not publish',
          {
            challenge: { error: 'invalid_token' },
          },
        );
      }
      // If no key fits the token's header (its algorithm, for example), the token is wrong, and jwtVerify reports that.
      if (cause instanceof errors.JOSENotSupported) throw cause;
      throw unreachable(cause);
    }
  };

  let comparing: Promise<void> | undefined;
  let comparedAt: { readonly now: number; readonly monotonic: number } | undefined;
  const isComparisonRecent = () => {
    if (comparedAt === undefined) return false;
    const elapsed = clock.monotonic() - comparedAt.monotonic;
    const wasClockSet = Math.abs(clock.now() - comparedAt.now - elapsed) >= MIN_CLOCK_CHANGE_MS;
    return elapsed < COMPARISON_COOLDOWN_MS && !wasClockSet;
  };
  const time: ProviderTime = {
    now: () => providerNow(given.issuer, clock),
    secondsAhead: () => clockSecondsAhead(given.issuer, clock),
    async compare(before) {
      if (!isComparisonRecent()) {
        const startedAt = { now: clock.now(), monotonic: clock.monotonic() };
        comparing ??= discover(issuer, options)
          // Ignores errors, because even an error response contains the provider's time.
          .then(undefined, () => undefined)
          .then(() => {
            comparedAt = startedAt;
            comparing = undefined;
          });
        await comparing;
      }
      return hasClockOffsetChanged(given.issuer, before, clock);
    },
  };
  return { metadata, key, time };
}

/** Discovers the provider's metadata with OpenID Connect Discovery or RFC 8414. */
async function discover(issuer: URL, options: IdentityProviderOptions): Promise<oauth.AuthorizationServer> {
  const settings = createOAuthRequestOptions(issuer, options.fetch, options.timeoutMs);
  try {
    let response = await oauth.discoveryRequest(issuer, { ...settings, algorithm: 'oidc' });
    if (response.status === 404) {
      response = await oauth.discoveryRequest(issuer, { ...settings, algorithm: 'oauth2' });
    }
    const found = await oauth.processDiscoveryResponse(issuer, response);
    const named = [found.jwks_uri, ...Object.entries(found).map(([name, url]) => name.endsWith('_endpoint') && url)];
    const foreign = named.find((url) => typeof url === 'string' && !mayReferTo(issuer.href, url));
    if (foreign !== undefined) throw new TypeError('the metadata names an address that is not allowed');
    return found;
  } catch (cause) {
    throw unreachable(cause);
  }
}

/** Returns oauth4webapi options that limit a response's size and time, and allow plain http only on loopback. */
export function createOAuthRequestOptions(url: URL, fetch: typeof globalThis.fetch, timeoutMs: number) {
  const send = createBoundedFetch(fetch, MAX_PROVIDER_RESPONSE_BYTES);
  return {
    [oauth.customFetch]: (
      address: string,
      { body, ...init }: oauth.CustomFetchOptions<string, URLSearchParams | undefined>,
    ) => send(address, body === undefined ? init : { ...init, body }),
    [oauth.allowInsecureRequests]: isPlainHttpLoopback(url),
    signal: () => AbortSignal.timeout(timeoutMs),
  };
}

function unreachable(cause: unknown): HttpProblem {
  return new HttpProblem(
    503,
    'provider_unreachable',
    'the identity provider can’t be reached or returned an invalid response',
    {
      hint: 'Try again in a moment.',
      retryAfter: 2,
      cause,
    },
  );
}
