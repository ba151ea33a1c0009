import type { ServerMetadata } from 'openid-client';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { createBoundedFetch, MAX_PROVIDER_RESPONSE_BYTES } from '../../net/bounded-fetch.ts';
import { AUTH_REQ_ID_CLAIM } from '../../oauth/oauth-names.ts';
import { safeLine } from '../../text/sanitize.ts';
import { ID_TOKEN_ALGORITHMS, PROVIDER_TIMEOUT_S } from './provider.ts';
import { providerNow } from './provider-clock.ts';
import { classifyProviderFailure } from './provider-failure.ts';

const CLOCK_TOLERANCE_S = 60;

/**
 * Maximum age of an ID token, in seconds. ID tokens come directly from the token endpoint, so an older token was not
 * issued for this request.
 */
const MAX_AGE_S = 600;

const KEY_FETCH_ATTEMPTS = 3;
const KEY_FETCH_PAUSE_MS = 250;
const MAX_KEY_AGE_MS = 10 * 60_000;

export interface IdTokenClaims {
  readonly sub: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly username: string | undefined;
  readonly authReqId: string | undefined;
}

/**
 * Validates an ID token (OpenID Connect Core §3.1.3.7): `alg`, `iss`, `aud`, `azp`, `exp`, `iat`, `sub`, and, even
 * though the token came directly from the provider, its signature by one of the provider's published keys.
 * @throws {TradeAgentError} `provider_error`, whose message never contains the token; `provider_unreachable` if the
 * keys can't be fetched
 */
export async function verifyIdToken(
  idToken: string,
  expected: { metadata: ServerMetadata; clientId: string; clock: Clock; fetch?: typeof fetch | undefined },
): Promise<IdTokenClaims> {
  const { metadata, clientId, clock } = expected;
  const jose = await import('jose');
  const allowed = metadata.id_token_signing_alg_values_supported ?? ['RS256'];
  const rules = {
    issuer: metadata.issuer,
    audience: clientId,
    algorithms: ID_TOKEN_ALGORITHMS.filter((algorithm) => allowed.includes(algorithm)),
    requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
    maxTokenAge: MAX_AGE_S,
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(providerNow(metadata.issuer, clock)),
  };
  try {
    const keys = providerKeys(metadata, expected.fetch ?? fetch, jose);
    const known = keys.fresh;
    if (!known) await fetchKeys(keys, metadata.issuer, { clock, jose });
    const { payload } = await jose.jwtVerify(idToken, keys, rules).catch(async (error: unknown) => {
      const isKeys =
        error instanceof jose.errors.JWKSNoMatchingKey || error instanceof jose.errors.JWSSignatureVerificationFailed;
      if (!known || !isKeys) throw error;
      // The provider may have rotated its keys since they were fetched.
      await fetchKeys(keys, metadata.issuer, { clock, jose });
      return jose.jwtVerify(idToken, keys, rules);
    });
    if (payload.azp === undefined ? Array.isArray(payload.aud) && payload.aud.length > 1 : payload.azp !== clientId) {
      throw new jose.errors.JWTClaimValidationFailed('unexpected "azp" claim value', payload, 'azp', 'check_failed');
    }
    return {
      sub: String(payload.sub),
      name: sanitizeDisplayName(payload.name),
      email: sanitizeDisplayName(payload.email),
      username: sanitizeDisplayName(payload.preferred_username),
      authReqId: optionalText(payload[AUTH_REQ_ID_CLAIM]),
    };
  } catch (error) {
    if (isTradeAgentError(error)) throw error;
    const { code, claim } = error as { code?: unknown; claim?: unknown };
    throw new TradeAgentError('provider_error', 'the identity provider sent an invalid ID token', {
      hint: 'Check this machine’s clock and the profile’s issuer.',
      details: {
        reason: typeof code === 'string' ? code : 'invalid',
        ...(typeof claim === 'string' ? { claim } : {}),
      },
    });
  }
}

type Jose = typeof import('jose');
type RemoteKeys = ReturnType<Jose['createRemoteJWKSet']>;

/** Signing keys by issuer, for each fetch function. Cached, because each approval comes with an ID token to verify. */
const keysByFetch = new WeakMap<typeof fetch, Map<string, RemoteKeys>>();

function providerKeys({ issuer, jwks_uri }: ServerMetadata, by: typeof fetch, jose: Jose): RemoteKeys {
  const isAllAccounts = keysByFetch.get(by) ?? new Map<string, RemoteKeys>();
  keysByFetch.set(by, isAllAccounts);
  const address = String(jwks_uri);
  const known = isAllAccounts.get(address);
  if (known !== undefined) return known;
  const send = createBoundedFetch(by, MAX_PROVIDER_RESPONSE_BYTES);
  const keys = jose.createRemoteJWKSet(new URL(address), {
    timeoutDuration: PROVIDER_TIMEOUT_S * 1000,
    cacheMaxAge: MAX_KEY_AGE_MS,
    cooldownDuration: MAX_KEY_AGE_MS,
    [jose.customFetch]: async (url, init) => {
      const response = await send(url, init);
      if (response.status >= 500) throw keysUnreachable(issuer);
      return response;
    },
  });
  isAllAccounts.set(address, keys);
  return keys;
}

/** Fetches the keys, with retries, because the response with the ID token can't be requested again. */
async function fetchKeys(
  keys: RemoteKeys,
  issuer: string,
  { clock, jose }: { readonly clock: Clock; readonly jose: Jose },
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await keys.reload();
    } catch (error) {
      if (tries < KEY_FETCH_ATTEMPTS) {
        await clock.sleep(KEY_FETCH_PAUSE_MS);
        continue;
      }
      const isAway = error instanceof jose.errors.JWKSTimeout || classifyProviderFailure(error).kind === 'unreachable';
      throw isAway ? keysUnreachable(issuer) : error;
    }
  }
}

function keysUnreachable(issuer: string): TradeAgentError {
  return new TradeAgentError('provider_unreachable', `the keys of ${issuer} can't be fetched`, {
    hint: 'Check the network, then try again.',
  });
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

const MAX_NAME_LENGTH = 200;

/** Makes a name that someone else chose safe for display. Returns undefined if nothing visible is left. */
export function sanitizeDisplayName(value: unknown): string | undefined {
  return optionalText(safeLine(optionalText(value) ?? '', MAX_NAME_LENGTH));
}
