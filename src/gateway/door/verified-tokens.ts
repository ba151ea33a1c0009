import { createHash } from 'node:crypto';
import type { CompactJWSHeaderParameters, JWTPayload, ResolvedKey } from 'jose';
import type { IdentityProvider } from './identity-provider.ts';

export type AccessTokenClaims = JWTPayload & { sub: string; jti: string; exp: number; iat: number };

/** A verified token, and the key that verified it. */
export interface VerifiedToken {
  readonly claims: AccessTokenClaims;
  readonly header: CompactJWSHeaderParameters;
  readonly key: ResolvedKey['key'];
}

const MOST_TOKENS = 1_000;

/** The header alone selects the key. */
const NOTHING_SIGNED = { payload: '', signature: '' };

/**
 * Verifies the signature of a token once, not with each request. Each time it checks that the token has not expired and
 * that the key is still the provider's; otherwise the token is verified again.
 * @param verify rejects for a wrong token; `now` in milliseconds since the epoch
 */
export function verifiedOnce(
  provider: Pick<IdentityProvider, 'key'>,
  verify: (token: string, now: number) => Promise<VerifiedToken>,
): (token: string, now: number) => Promise<AccessTokenClaims> {
  // By hash: nothing in here opens anything.
  const known = new Map<string, VerifiedToken & { readonly since: number }>();

  const isStillItsKey = async ({ header, key }: VerifiedToken): Promise<boolean> => {
    try {
      return (await provider.key(header, NOTHING_SIGNED)) === key;
    } catch {
      return false;
    }
  };

  return async (token, now) => {
    const name = createHash('sha256').update(token).digest('base64url');
    const before = known.get(name);
    if (before !== undefined && before.since <= now && now < before.claims.exp * 1000) {
      if (await isStillItsKey(before)) return before.claims;
    }
    known.delete(name);
    const verified = await verify(token, now);
    if (known.size >= MOST_TOKENS) known.clear();
    known.set(name, { ...verified, since: now });
    return verified.claims;
  };
}
