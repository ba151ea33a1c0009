import {
  createLocalJWKSet,
  decodeJwt,
  type JSONWebKeySet,
  type JWTPayload,
  errors as joseErrors,
  jwtVerify,
} from 'jose';
import type Provider from 'oidc-provider';
import { JWT_ASSERTION_TYPE } from '../../../oauth/oauth-names.ts';
import { protocolRoutes } from './protocol.ts';

/** Tolerated difference between a client's clock and this server's, in seconds. */
export const CLOCK_TOLERANCE_S = 5;
/** Maximum lifetime of an assertion, in seconds. */
const MAX_LIFETIME_S = 300;

/**
 * Returns the problem with an assertion's claims, or undefined if there is none. An assertion must say when it was
 * issued and expire within five minutes. Its only audience must be this server, so that an assertion for another server
 * is rejected. The audience is the issuer (RFC 7523bis §4) or, as CIBA Core §7.1 requires at its endpoint, the address
 * of that endpoint or of the token endpoint.
 */
export function assertionProblem(
  { aud, exp, iat }: Pick<JWTPayload, 'aud' | 'exp' | 'iat'>,
  { issuer, now, isCiba = false }: { readonly issuer: string; readonly now: number; readonly isCiba?: boolean },
): string | undefined {
  const seconds = now / 1000;
  const endpoints = isCiba ? [protocolRoutes.backchannel_authentication, protocolRoutes.token] : [];
  if (![issuer, ...endpoints.map((path) => `${issuer}${path}`)].some((one) => isOnlyAudience(aud, one))) {
    return 'aud must be only the issuer';
  }
  if (typeof iat !== 'number' || typeof exp !== 'number') return 'iat and exp are required';
  if (iat > seconds + CLOCK_TOLERANCE_S) return 'iat is in the future';
  if (exp - iat > MAX_LIFETIME_S || exp > seconds + MAX_LIFETIME_S + CLOCK_TOLERANCE_S)
    return 'its lifetime is too long';
  return undefined;
}

export function isOnlyAudience(aud: unknown, issuer: string): boolean {
  return aud === issuer || (Array.isArray(aud) && aud.length === 1 && aud[0] === issuer);
}

/**
 * Authenticates a client with `private_key_jwt` (RFC 7523 §3, OpenID Connect Core §9) at endpoints that the library
 * does not provide. Applies the same rules as the library, and shares the library's record of used assertions.
 * @returns the client's ID, or undefined if authentication fails
 */
export async function authenticateClient(
  given: { [name in 'client_assertion_type' | 'client_assertion' | 'client_id']?: string | undefined },
  options: { provider: Provider; now: number },
): Promise<string | undefined> {
  const { client_assertion: assertion, client_id: named } = given;
  if (assertion === undefined || given.client_assertion_type !== JWT_ASSERTION_TYPE) return undefined;
  const { provider, now } = options;
  try {
    const { sub } = decodeJwt(assertion);
    if (sub === undefined || (named !== undefined && named !== sub)) return undefined;
    const client = await provider.Client.find(sub);
    if (client?.jwks === undefined || client.tokenEndpointAuthMethod !== 'private_key_jwt') return undefined;
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks as JSONWebKeySet), {
      issuer: sub,
      subject: sub,
      audience: provider.issuer,
      algorithms: ['ES256', 'EdDSA', 'PS256'],
      requiredClaims: ['exp', 'iat', 'jti'],
      clockTolerance: CLOCK_TOLERANCE_S,
      currentDate: new Date(now),
    });
    if (assertionProblem(payload, { issuer: provider.issuer, now }) !== undefined) return undefined;
    const { jti = '', exp = 0 } = payload;
    const once = await provider.ReplayDetection.unique(sub, jti, exp + CLOCK_TOLERANCE_S);
    return once ? sub : undefined;
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return undefined;
    throw error;
  }
}
