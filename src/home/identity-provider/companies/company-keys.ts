import type { JWTVerifyGetKey } from 'jose';
import { createIdentityProvider } from '../../../gateway/door/identity-provider.ts';
import type { Clock } from '../../../machine/clock.ts';
import type { Company } from './company.ts';

/** How long a company's issuer may take to tell of itself, and of its keys, milliseconds: somebody waits at a terminal. */
const TIMEOUT_MS = 3_000;

/**
 * Each company's own keys: found by its issuer's discovery when one is first needed, kept, and fetched again (seldom) for a key
 * that is not known.
 * @returns the keys of one. They throw a {@link Refusal}, 503 `provider_unreachable` or 401 `token_key_unknown`
 */
export function companyKeys(
  companies: readonly Company[],
  options: { readonly fetch: typeof fetch; readonly clock: Clock },
): (company: Company) => JWTVerifyGetKey {
  const keys = new Map(
    companies.map(({ issuer }) => [
      issuer,
      createIdentityProvider({ ...options, issuer, timeoutMs: TIMEOUT_MS }).key,
    ]),
  );
  return ({ issuer }) => {
    const found = keys.get(issuer);
    if (found === undefined) throw new TypeError('a company that is not one of them');
    return found;
  };
}
