import type { JWTVerifyGetKey } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import { createIdentityProvider } from '../../../gateway/auth/identity-provider.ts';
import type { Clock } from '../../../machine/clock.ts';
import { JWT_BEARER_GRANT } from '../../../oauth/oauth-names.ts';
import { type KeyClient, keyClientMetadata } from '../protocol/key-client.ts';

/** Lifetime of tokens, in seconds. It is short because only a renewal checks that the person is still a member. */
export const COMPANY_TOKEN_LIFETIME_S = 300;

/** A client that a company runs for its people. It is confidential and authenticates with a key (`private_key_jwt`). */
interface CompanyClient extends KeyClient {
  readonly name: string;
}

/** An organization whose identity provider may sign in some people of this home, as configured in `home.yaml`. */
export interface Company {
  /** The provider's `iss`, compared exactly. */
  readonly issuer: string;
  readonly name: string;
  /** Value of the policy fact `org` for the company's people. */
  readonly organization: string;
  /** The only scopes that the company's assertions may grant. Never includes scopes that require an approval. */
  readonly scopes: readonly string[];
  /** Maps the `sub` of the company's people to users of this home. All other people are rejected. */
  readonly people: Readonly<Record<string, string>>;
  readonly clients: readonly CompanyClient[];
  /** Whether the `groups` claim of the assertions is passed to the policy as facts. */
  readonly groups: boolean;
  /**
   * Settings for Shared Signals: the `aud` of the company's security events and, for each `sub` whose account was
   * enabled again, the time (RFC 3339). Earlier signals that disabled the account are ignored.
   */
  readonly signals?:
    | { readonly audience: string; readonly enabled?: Readonly<Record<string, string>> | undefined }
    | undefined;
}

export function findCompany(companies: readonly Company[], clientId: unknown): Company | undefined {
  return companies.find(({ clients }) => clients.some(({ client_id }) => client_id === clientId));
}

/** Returns the metadata of a company's clients, which may only redeem assertions signed by the company's own issuer. */
export function companyClientsMetadata({ clients }: Company): ClientMetadata[] {
  return clients.map((client) => ({
    ...keyClientMetadata(client),
    client_name: client.name,
    grant_types: [JWT_BEARER_GRANT],
  }));
}

/** Claims of an access token issued for a company's assertion. The gateway's rules and audit log use them. */
interface MemberClaims {
  /** The requester's name, as shown on the phone. */
  readonly client_name: string;
  readonly org: string;
  readonly company: string;
  readonly groups?: readonly string[];
  readonly act?: object;
}

/** Claims by token, stored until the library asks for a token's extra claims. */
export const memberClaimsByToken = new WeakMap<object, MemberClaims>();

/** Timeout in milliseconds for a company's metadata and keys. It is short because someone is waiting at a terminal. */
const METADATA_TIMEOUT_MS = 3_000;

/**
 * Returns a function that looks up a company's keys. The keys are fetched on first use and again, at a limited rate,
 * when a key is unknown. The lookup throws a {@link Refusal}: 503 `provider_unreachable` or 401 `token_key_unknown`.
 */
export function createCompanyKeyLookup(
  companies: readonly Company[],
  options: { readonly fetch: typeof fetch; readonly clock: Clock },
): (company: Company) => JWTVerifyGetKey {
  const keys = new Map(
    companies.map(({ issuer }) => [
      issuer,
      createIdentityProvider({ ...options, issuer, timeoutMs: METADATA_TIMEOUT_MS }).key,
    ]),
  );
  return ({ issuer }) => {
    const found = keys.get(issuer);
    if (found === undefined) throw new TypeError('unknown company');
    return found;
  };
}
