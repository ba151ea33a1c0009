import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { type GrantTerms, grantTermsSchema } from '../../trading/grant-terms.ts';

export type { GrantTerms };

/** The type of a grant's details. No client may request an approval of this type. */
export const GRANT_DETAILS_TYPE = 'access_grant';

/** A grant as it is signed, with the same members that identify a proposal. */
export interface GrantDetails {
  readonly type: typeof GRANT_DETAILS_TYPE;
  readonly locations: readonly [string];
  readonly identifier: string;
  readonly digest: string;
  readonly grant: GrantTerms;
}

const grantDetailsSchema = z.lazy(() =>
  z.strictObject({
    type: z.literal(GRANT_DETAILS_TYPE),
    locations: z.tuple([z.string()]),
    identifier: z.string().regex(/^gr_[A-Za-z0-9_-]{22,64}$/),
    digest: z.string(),
    grant: grantTermsSchema,
  }),
);

/**
 * Returns the details of a grant.
 * @param identifier identifies this one request for access, so that a signature can't be used for another request
 */
export function grantDetails(gateway: string, identifier: string, grant: GrantTerms): GrantDetails {
  return {
    type: GRANT_DETAILS_TYPE,
    locations: [gateway],
    identifier,
    digest: grantDigest(identifier, grant),
    grant,
  };
}

/** Returns the identifier of a request for access, derived from a secret that only this request has. */
export function grantIdentifier(secret: string): string {
  return `gr_${createHash('sha256').update(`trade-agent grant ${secret}`).digest('base64url')}`;
}

/** Parses a grant's details. @throws {TypeError} if they are malformed or their digest is wrong */
export function parseGrantDetails(details: Readonly<Record<string, unknown>>): GrantDetails {
  const parsed = grantDetailsSchema.safeParse(details).data;
  if (parsed === undefined) throw new TypeError('not the details of a grant');
  if (parsed.digest !== grantDigest(parsed.identifier, parsed.grant)) {
    throw new TypeError('the digest does not match the grant');
  }
  return parsed;
}

/** Returns base64url(SHA-256 of the RFC 8785 form of the terms and the identifier). */
function grantDigest(identifier: string, grant: GrantTerms): string {
  return createHash('sha256')
    .update(canonicalize({ v: 1, identifier, grant }) ?? '')
    .digest('base64url');
}
