import { createHash } from 'node:crypto';
import type { CompactJWSHeaderParameters, JWTPayload, ResolvedKey } from 'jose';
import type { IdentityProvider } from './identity-provider.ts';

export type AccessTokenClaims = JWTPayload & { sub: string; jti: string; exp: number; iat: number };

/** A token that held, and the key that it held by. */
export interface VerifiedToken {
  readonly claims: AccessTokenClaims;
  readonly header: CompactJWSHeaderParameters;
  readonly key: ResolvedKey['key'];
}

/** Tokens that are kept at once. */
const MOST_TOKENS = 1_000;

/** The same key is found by a token's header alone. */
const NOTHING_SIGNED = { payload: '', signature: '' };

/**
 * Verifies a token once instead of with each request that it comes with. The same bytes are signed by the same key for good;
 * what else there is to a token is looked at each time: that it has not expired, and that its key is still one of the
 * provider's. Where either is in doubt it is verified whole.
 * @param verify whole, at a time in milliseconds since the epoch; its rejections are passed on
 */
export function verifiedOnce(
  provider: Pick<IdentityProvider, 'key'>,
  verify: (token: string, now: number) => Promise<VerifiedToken>,
): (token: string, now: number) => Promise<AccessTokenClaims> {
  // By their hash: nothing that is kept here opens anything.
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
