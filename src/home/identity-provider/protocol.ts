import type { ResourceServer } from 'oidc-provider';

/** Names the protocol parts of the identity provider share. */

/** The public client every trade-agent signs in with (RFC 8628). */
export const LOGIN_CLIENT_ID = 'trade-agent';

/** Seconds that an access token of a session lives. */
export const ACCESS_TOKEN_S = 600;

/** Seconds. */
export const POLL_INTERVAL = 2;
/** How long the token endpoint holds a CIBA poll, milliseconds; CIBA Core §10.1.1 suggests 30 s at most. */
export const LONG_POLL_MS = 25_000;

export const routes = {
  authorization: '/authorize',
  backchannel_authentication: '/bc-authorize',
  code_verification: '/device',
  device_authorization: '/device/code',
  jwks: '/jwks',
  registration: '/register',
  revocation: '/revoke',
  token: '/token',
  userinfo: '/userinfo',
} as const;

/**
 * Where a CIBA client tells what became of its request (metadata `backchannel_outcome_endpoint`); no standard has one.
 */
export const OUTCOME_PATH = '/bc-outcome';

/** Where companies push Security Event Tokens to (RFC 8935 §2). */
export const SIGNALS_PATH = '/signals/events';

/** Where it says how it tells others (OpenID Shared Signals Framework 1.0 §7.1.1). */
export const TRANSMITTER_PATH = '/.well-known/ssf-configuration';

/** `backchannel_logout_uri` of companies' clients (OpenID Connect Back-Channel Logout 1.0 §2.2). */
export const LOGOUT_PATH = '/backchannel-logout';

/** Where a person connects an account: by a program's `ticket`, or the `connection` that they themselves want. */
export const CONNECT_PATH = '/connections/connect';

export const CONNECTED_ACCOUNTS_PATH = '/me/v1/connected-accounts';

/** Where people's accounts elsewhere are managed; also the resource indicator (RFC 8707) of tokens for it. */
export function connectedAccountsUrl(issuer: string): string {
  return `${issuer}${CONNECTED_ACCOUNTS_PATH}`;
}

/** What tokens of anybody's agent are for: the gateway's MCP endpoint, never `/v1`. */
export function mcpResource(resource: string): string {
  return `${resource}/mcp`;
}

/** Where a person is asked whether a program may act for them; the request's id follows. */
export const CONSENT_PATH = '/authorize/consent';

/** Whether a text is one of a list's, a scope say. */
export function isIn<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}

/** A resource (RFC 8707) whose access tokens are JWTs (RFC 9068), and what they may do there. */
export function signedFor(audience: string, scopes: readonly string[]): ResourceServer {
  return {
    scope: scopes.join(' '),
    audience,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}
