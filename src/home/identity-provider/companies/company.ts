/** A client that a company runs for its people: a confidential one, which proves itself by a key (`private_key_jwt`). */
export interface CompanyClient {
  readonly client_id: string;
  /** As pages and lists show it. */
  readonly name: string;
  /** What it proves itself by: public keys (RFC 7517), or where they are. */
  readonly jwks?: { readonly keys: readonly object[] } | undefined;
  readonly jwks_uri?: string | undefined;
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
