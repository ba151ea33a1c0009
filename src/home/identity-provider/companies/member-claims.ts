import type { AccessToken } from 'oidc-provider';

/** What an access token says that was issued on a company's word: facts for the gateway's rules, and for its record. */
export interface MemberClaims {
  /** As the person's phone is told who asks. */
  readonly client_name: string;
  readonly org: string;
  /** The company's issuer. */
  readonly company: string;
  readonly groups?: readonly string[];
  readonly act?: object;
}

/** Between a token that is being issued and the hook by which the library asks what else it says. */
const claimsOf = new WeakMap<object, MemberClaims>();

export function noteClaims(token: AccessToken, claims: MemberClaims): void {
  claimsOf.set(token, claims);
}

export function memberClaims(token: object): MemberClaims | undefined {
  return claimsOf.get(token);
}
