import type { ResolvedProfile } from '../../config/profile.ts';

/** Who is signed in, by the ID token's claims (OpenID Connect Core §5.1). */
export interface User {
  readonly sub: string;
  readonly name: string | undefined;
  readonly email: string | undefined;
}

/** A signed-in user's session: the only thing above `auth` that can make a request in the user's name. */
export interface Session {
  readonly profile: ResolvedProfile;
  readonly user: User;
  /** As whose the gateway has what this session asks for, where that is not the profile's login client. */
  readonly clientId?: string | undefined;
  /**
   * Sends a request to the gateway with an access token for these scopes: reading uses one token with all read scopes,
   * anything more a token with exactly what is named (DPoP-bound where the provider binds). Refreshes as needed. Never follows a redirect to another origin.
   * Proposing an order with live money needs a sign-in that is fresh, once a session.
   * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `gateway_unreachable`, `insufficient_scope`
   */
  fetch(url: string, init: RequestInit, scopes: readonly string[]): Promise<Response>;
}
