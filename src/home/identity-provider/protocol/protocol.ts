import type { IncomingMessage, ServerResponse } from 'node:http';
import { errors, type ResourceServer } from 'oidc-provider';

/** The public client every trade-agent signs in with (RFC 8628). */
export const LOGIN_CLIENT_ID = 'trade-agent';

/** Seconds that an access token of a session lives. */
export const ACCESS_TOKEN_S = 600;

/** Seconds between the polls of a client. */
export const POLL_INTERVAL = 2;
/** How long the token endpoint holds a CIBA poll; CIBA Core §10.1.1 suggests 30 s at most. */
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

/** Where a CIBA client reports the outcome of its request (metadata `backchannel_outcome_endpoint`); not standardized. */
export const OUTCOME_PATH = '/bc-outcome';

/** Where companies push Security Event Tokens to (RFC 8935 §2). */
export const SIGNALS_PATH = '/signals/events';

/** Transmitter metadata (OpenID Shared Signals Framework 1.0 §7.1.1). */
export const TRANSMITTER_PATH = '/.well-known/ssf-configuration';

/** `backchannel_logout_uri` of companies' clients (OpenID Connect Back-Channel Logout 1.0 §2.2). */
export const LOGOUT_PATH = '/backchannel-logout';

/** Where a person connects an account: by a program's `ticket`, or by `connection` of their own accord. */
export const CONNECT_PATH = '/connections/connect';

export const CONNECTED_ACCOUNTS_PATH = '/me/v1/connected-accounts';

/** Where people's accounts elsewhere are managed; also the resource indicator (RFC 8707) of tokens for it. */
export function connectedAccountsUrl(issuer: string): string {
  return `${issuer}${CONNECTED_ACCOUNTS_PATH}`;
}

/** The resource of other people's agents: the gateway's MCP endpoint, never `/v1`. */
export function mcpResource(resource: string): string {
  return `${resource}/mcp`;
}

export const CONSENT_PATH = '/authorize/consent';

export function isIn<T extends string>(list: readonly T[], text: string): text is T {
  return (list as readonly string[]).includes(text);
}

/** A resource (RFC 8707) whose access tokens are JWTs (RFC 9068). */
export function signedFor(audience: string, scopes: readonly string[]): ResourceServer {
  return {
    scope: scopes.join(' '),
    audience,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: 'ES256' } },
  };
}

/** A third party gives no usable answer now: the same request may be sent again (RFC 6749 §4.1.2.1, as a 503). */
export function temporarilyUnavailable(message: string): Error {
  return Object.assign(new errors.TemporarilyUnavailable(message), { status: 503, statusCode: 503 });
}

/** Parameters of RFC 8693 §2.1 that this server reads, some only to refuse them. */
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

/** How and when the person proved who they are (RFC 8176 §2, OpenID Connect Core §2). */
export interface Authentication {
  readonly amr: readonly string[];
  /** Milliseconds since the epoch; undefined for now. */
  readonly at?: number;
}

/** By the terminal phone's secret: a key in software. */
export const TERMINAL_PHONE: Authentication = { amr: ['swk'] };

/** By a passkey with user verification; a synced one leaves its device. */
export function byPasskey({ synced, at }: { synced: boolean; at: number }): Authentication {
  return { amr: [synced ? 'swk' : 'hwk', 'user', 'mfa'], at };
}
