import { createLocalJWKSet, decodeJwt, type JSONWebKeySet, errors as joseErrors, jwtVerify } from 'jose';
import type Provider from 'oidc-provider';
import { JWT_ASSERTION_TYPE } from '../../net/oauth-names.ts';

/** As at the token endpoint. Seconds. */
const CLOCK_TOLERANCE = 5;

export interface ClientAssertion {
  readonly client_assertion_type?: string | undefined;
  readonly client_assertion?: string | undefined;
  readonly client_id?: string | undefined;
}

/**
 * Who calls, by `private_key_jwt` (RFC 7523 §3, OpenID Connect Core §9): the rules of the provider's own endpoints, its
 * record of used assertions among them, for an endpoint it does not have.
 * @param audiences what the assertion may be for: the issuer, or the endpoint
 * @param now milliseconds since the epoch
 * @returns the client's id; undefined where it isn't proven
 */
export async function authenticatedClient(
  given: ClientAssertion,
  options: { provider: Provider; audiences: readonly string[]; now: number },
): Promise<string | undefined> {
  const { client_assertion: assertion, client_id: named } = given;
  if (assertion === undefined || given.client_assertion_type !== JWT_ASSERTION_TYPE) return undefined;
  try {
    const { sub } = decodeJwt(assertion);
    if (sub === undefined || (named !== undefined && named !== sub)) return undefined;
    const client = await options.provider.Client.find(sub);
    if (client?.jwks === undefined || client.tokenEndpointAuthMethod !== 'private_key_jwt') return undefined;
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks as JSONWebKeySet), {
      issuer: sub,
      subject: sub,
      audience: [...options.audiences],
      algorithms: ['ES256', 'EdDSA', 'PS256'],
      requiredClaims: ['exp', 'jti'],
      clockTolerance: CLOCK_TOLERANCE,
      currentDate: new Date(options.now),
    });
    const { jti = '', exp = 0 } = payload;
    const once = await options.provider.ReplayDetection.unique(sub, jti, exp + CLOCK_TOLERANCE);
    return once ? sub : undefined;
  } catch (error) {
    if (error instanceof joseErrors.JOSEError) return undefined;
    throw error;
  }
}
