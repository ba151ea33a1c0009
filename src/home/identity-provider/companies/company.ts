import type { ClientMetadata } from 'oidc-provider';
import { JWT_BEARER_GRANT } from '../../../oauth/oauth-names.ts';
import { type KeyClient, keyClient } from '../key-client.ts';

/** Seconds that what is issued on a company's word lives: so soon the company is asked again whether somebody is still theirs. */
export const COMPANY_TOKEN_S = 300;

/** A client that a company runs for its people: a confidential one, which proves itself by a key (`private_key_jwt`). */
export interface CompanyClient extends KeyClient {
  /** As pages and lists show it. */
  readonly name: string;
}

/** An identity provider of other people's whose word about some people of this home is taken, as `home.yaml` names it. */
export interface Company {
  /** Its `iss`, to the letter. */
  readonly issuer: string;
  /** As pages and notices show it. */
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

/** The company whose client it is. */
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
