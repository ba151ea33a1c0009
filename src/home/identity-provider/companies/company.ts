import type { JWTVerifyGetKey } from 'jose';
import type { ClientMetadata } from 'oidc-provider';
import { createIdentityProvider } from '../../../gateway/door/identity-provider.ts';
import type { Clock } from '../../../machine/clock.ts';
import { JWT_BEARER_GRANT } from '../../../oauth/oauth-names.ts';
import { type KeyClient, keyClient } from '../protocol/key-client.ts';

/** Seconds that what is issued on a company's word lives: so soon the company is asked again whether somebody is still theirs. */
export const COMPANY_TOKEN_S = 300;

/** A client that a company runs for its people: a confidential one, which proves itself by a key (`private_key_jwt`). */
interface CompanyClient extends KeyClient {
  readonly name: string;
}

/** An identity provider of other people's whose word about some people of this home is taken, as `home.yaml` names it. */
export interface Company {
  /** Its `iss`, to the letter. */
  readonly issuer: string;
  readonly name: string;
  /** The policy fact `org`. */
  readonly organization: string;
  /** The most that its word is good for; what an approval alone can give is never among it. */
  readonly scopes: readonly string[];
  /** Its people's `sub`, and who of this home that is. Nobody else gets in. */
  readonly people: Readonly<Record<string, string>>;
  readonly clients: readonly CompanyClient[];
  /** Whether its `groups` claim is taken as policy facts. */
  readonly groups: boolean;
  /**
   * Shared Signals: for whom its security events are (`aud`); and whose account counts as enabled again, by their `sub`: what
   * said before that time (RFC 3339) that it was disabled counts no more.
   */
  readonly signals?:
    | { readonly audience: string; readonly enabled?: Readonly<Record<string, string>> | undefined }
    | undefined;
}

export function companyOf(companies: readonly Company[], clientId: unknown): Company | undefined {
  return companies.find(({ clients }) => clients.some(({ client_id }) => client_id === clientId));
}

/** They redeem what their own issuer signed, and nothing else; nobody signs in by them. */
export function companyClients({ clients }: Company): ClientMetadata[] {
  return clients.map((client) => ({
    ...keyClient(client),
    client_name: client.name,
    grant_types: [JWT_BEARER_GRANT],
  }));
}

/** Claims of an access token that was issued on a company's word, for the gateway's rules and record. */
interface MemberClaims {
  /** As the person's phone is told who asks. */
  readonly client_name: string;
  readonly org: string;
  readonly company: string;
  readonly groups?: readonly string[];
  readonly act?: object;
}

/** From the token that is being issued to the hook in which the library asks for its extra claims. */
export const memberClaims = new WeakMap<object, MemberClaims>();

/** Milliseconds for a company's issuer to return its metadata and keys: somebody waits at a terminal. */
const TIMEOUT_MS = 3_000;

/**
 * Each company's keys, found by its issuer's discovery on first use, and fetched again (seldom) for an unknown key.
 * They throw a {@link Refusal}: 503 `provider_unreachable` or 401 `token_key_unknown`.
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
