import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';

/** The type of a grant's details. No client may request an approval of this type. */
export const GRANT_DETAILS_TYPE = 'access_grant';

/** The terms of a grant, and how long it lasts. The statement’s digest covers every member. */
const grantTermsSchema = z.lazy(() =>
  z.strictObject({
    /**
     * `device`: a sign-in by device code, also to a server that may work while the person is away. `agent`: an agent
     * that was allowed on the consent page. `registration`: one app that may register to send the person requests.
     * `recovery_code`: a code that signs a browser in to view and deny.
     */
    kind: z.enum(['device', 'agent', 'registration', 'recovery_code']),
    /** The person who grants the access. */
    sub: z.string(),
    /** The client's id; null if the client is not known yet. */
    client: z.string().nullable(),
    /** The name that the client gave itself, unverified. */
    client_name: z.string().nullable(),
    scopes: z.array(z.string()),
    /** The APIs (RFC 8707) that accept the client's tokens. */
    resources: z.array(z.string()),
    /** A client acts for the person, so its access covers all of the person's accounts. */
    accounts: z.literal('all'),
    /** The device that asked, or the address to which the client's code is sent. Unverified. */
    from: z.string().nullable(),
    /** When the access ends; null if it lasts until the person removes the app or issues another recovery code. */
    ends_at: z.iso.datetime({ precision: 0 }).nullable(),
  }),
);
export type GrantTerms = z.output<typeof grantTermsSchema>;

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

/** Returns the identifier of a request for access, from a secret that only the request has. */
export function grantIdentifier(secret: string): string {
  return `gr_${createHash('sha256').update(`trade-agent grant ${secret}`).digest('base64url')}`;
}

/** Parses a grant's details. @throws {TypeError} if they are of another form or have another digest */
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
