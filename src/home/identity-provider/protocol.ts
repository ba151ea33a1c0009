/** Names the protocol parts of the identity provider share. */

/** The public client every trade-agent signs in with (RFC 8628). */
export const LOGIN_CLIENT_ID = 'trade-agent';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const CIBA_GRANT = 'urn:openid:params:grant-type:ciba';
/** RFC 8693. */
export const TOKEN_EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

/** What a session may do at the gateway: ring the phone at most. Placing an order is not among it. */
export const SESSION_SCOPES = [
  'market:read',
  'portfolio:read',
  'orders:read',
  'orders:cancel',
  'orders:propose',
  'messages:propose',
] as const;
export const IDENTITY_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const;
/** What a session may do with the person's accounts elsewhere, at {@link connectedAccountsUrl} (as Auth0 names them). */
export const CONNECTION_SCOPES = [
  'read:me:connected_accounts',
  'create:me:connected_accounts',
  'delete:me:connected_accounts',
] as const;
/** Granted with one approved order, for that order. */
export const ORDER_SCOPE = 'orders:write';
/** Granted with one approved message, for that message. */
export const MESSAGE_SCOPE = 'messages:write';

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

export const CONNECTED_ACCOUNTS_PATH = '/me/v1/connected-accounts';

/** Where people's accounts elsewhere are managed; also the resource indicator (RFC 8707) of tokens for it. */
export function connectedAccountsUrl(issuer: string): string {
  return `${issuer}${CONNECTED_ACCOUNTS_PATH}`;
}

/** Whether a text is one of a list's, a scope say. */
export function isIn<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}
