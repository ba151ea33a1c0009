import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type ResourceServer } from 'oidc-provider';

/** The public client with which trade-agent signs people in (RFC 8628). */
export const LOGIN_CLIENT_ID = 'trade-agent';

/** Lifetime of a session's access token, in seconds. */
export const ACCESS_TOKEN_LIFETIME_S = 600;

/** Minimum seconds between two polls by a client. */
export const POLL_INTERVAL_S = 2;
/** Maximum delay of a response to a CIBA poll, in milliseconds. CIBA Core §10.1.1 suggests at most 30 s. */
export const MAX_LONG_POLL_MS = 25_000;

export const protocolRoutes = {
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

/** Endpoint where CIBA clients report outcomes (metadata `backchannel_outcome_endpoint`, which is not standardized). */
export const OUTCOME_PATH = '/bc-outcome';

/**
 * Endpoint with the JSON Schemas of authorization details (metadata `authorization_details_types_metadata_endpoint` of
 * draft-ietf-oauth-rar-metadata-remediation-00). RFC 9396 §10 does not specify how schemas are published.
 */
export const DETAILS_TYPES_PATH = '/authorization-details-types';

/** Endpoint to which companies push Security Event Tokens (RFC 8935 §2). */
export const SIGNALS_PATH = '/signals/events';

/** Transmitter metadata (OpenID Shared Signals Framework 1.0 §7.1.1). */
export const TRANSMITTER_METADATA_PATH = '/.well-known/ssf-configuration';

/** `backchannel_logout_uri` of companies' clients (OpenID Connect Back-Channel Logout 1.0 §2.2). */
export const BACKCHANNEL_LOGOUT_PATH = '/backchannel-logout';

/** Page for connecting an account. Its parameter is `ticket` if a client started the request, or else `connection`. */
export const CONNECT_PATH = '/connections/connect';

export const CONNECTED_ACCOUNTS_PATH = '/me/v1/connected-accounts';

/** Returns the address of the connected-accounts API, which is also its resource indicator (RFC 8707). */
export function connectedAccountsUrl(issuer: string): string {
  return `${issuer}${CONNECTED_ACCOUNTS_PATH}`;
}

/** Returns the resource for third-party agents. This is the gateway's MCP endpoint, never `/v1`. */
export function mcpResource(resource: string): string {
  return `${resource}/mcp`;
}

export const CONSENT_PATH = '/authorize/consent';

export function isOneOf<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}

/** Describes a resource (RFC 8707) whose access tokens are JWTs (RFC 9068). */
export function jwtResourceServer(audience: string, scopes: readonly string[]): ResourceServer {
  return {
    scope: scopes.join(' '),
    audience,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

/**
 * Returns an error to throw if a third party's response is missing or unusable. The error tells the client that it may
 * repeat its request (RFC 6749 §4.1.2.1, as a 503).
 */
export function temporarilyUnavailableError(message: string): Error {
  return Object.assign(new errors.TemporarilyUnavailable(message), { status: 503, statusCode: 503 });
}

/** Parameters of RFC 8693 §2.1 that this server reads, some of them only to reject them. */
export const tokenExchangeParameters = [
  'audience',
  'resource',
  'scope',
  'subject_token',
  'subject_token_type',
  'requested_token_type',
  'actor_token',
  'actor_token_type',
] as const;

export type ExchangeParameters = { [name in (typeof tokenExchangeParameters)[number]]?: string | undefined };

export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** The methods and time of a person's authentication (RFC 8176 §2, OpenID Connect Core §2). */
export interface Authentication {
  readonly amr: readonly string[];
  /** Milliseconds since the epoch. Undefined means now. */
  readonly at?: number;
}

/** Authentication with the pairing secret of the sandbox's simulated phone. It counts as a software key. */
export const TERMINAL_PHONE_AUTHENTICATION: Authentication = { amr: ['swk'] };

/** Returns an authentication by passkey with user verification. A synced passkey counts as a software key. */
export function passkeyAuthentication({ synced, at }: { synced: boolean; at: number }): Authentication {
  return { amr: [synced ? 'swk' : 'hwk', 'user', 'mfa'], at };
}
