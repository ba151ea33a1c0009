import type { ResolvedProfile } from '../../config/profile.ts';

/** The signed-in user, from the ID token's claims (OpenID Connect Core §5.1). */
export interface User {
  readonly sub: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
}

/** A signed-in user's session. Code outside `auth` can make requests as the user only through a session. */
export interface Session {
  readonly profile: ResolvedProfile;
  readonly user: User;
  /** The client to which the gateway attributes requests, if it is not the profile's login client. */
  readonly clientId?: string | undefined;
  /**
   * Sends a request to the gateway with an access token for these scopes, renewed as needed. Requests that only read
   * share one token; any other request gets a token with exactly these scopes. Tokens are DPoP-bound if the provider
   * supports it. Never follows a redirect to another origin. A session's first live order requires a fresh sign-in.
   * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `gateway_unreachable`, `insufficient_scope`
   */
  fetch(url: string, init: RequestInit, scopes: readonly string[]): Promise<Response>;
}
