import type { ServerMetadata } from 'openid-client';

/** A provider feature that trade-agent uses. Each feature has setup instructions for providers that lack it. */
export type ProviderFeature = 'device' | 'ciba' | 'details' | 'dpop' | 'token_exchange';

/**
 * How one provider differs from the standards, and which of the options in the standards it uses. A dialect contains
 * only data and pure functions, so every provider gets the same sequence of requests.
 */
export interface ProviderDialect {
  readonly label: string;
  recognizes(metadata: ServerMetadata): boolean;
  /** Adds endpoints that the provider's discovery document omits. */
  complete(metadata: ServerMetadata): ServerMetadata;
  /** Scopes for the user's identity and a refresh token, which every sign-in requests besides the gateway's scopes. */
  readonly identityScopes: readonly string[];
  audience(audience: string): Record<string, string>;
  /** Returns the `login_hint` that identifies the person to ask (CIBA Core §7.1). */
  loginHint(person: Person, issuer: string): string;
  /** Fits the message to the provider's character set and maximum length. The code at its end is always kept. */
  bindingMessage(message: string): string;
  /** Maximum lifetime of an approval request, in seconds. */
  readonly maxApprovalTtl: number;
  /**
   * Whether approved `authorization_details` reach the token. `announced`: yes, if the provider's metadata lists their
   * type (RFC 9396 §10). `registered`: yes, if the provider's settings, which we can't see, allow it.
   */
  readonly details: 'announced' | 'registered' | 'never';
  /** The grant type that exchanges a user's access token for a connected account's access token. */
  readonly exchangeGrantType: string;
  readonly onBehalf: OnBehalfOfRules;
  /** Whether an access token can be revoked (RFC 7009 §2) without also revoking the refresh token. */
  readonly revokesAccessTokens: boolean;
  /** Returns the service that manages the person's connected accounts, or undefined if the provider has none. */
  connectedAccounts(metadata: ServerMetadata): ConnectedAccountsService | undefined;
  readonly setup: Readonly<Record<ProviderFeature, string>>;
}

/** The provider's rules for token exchange by a server on a person's behalf. */
interface OnBehalfOfRules {
  /**
   * Whether the request names the gateway as the audience. If not, the client's settings at the provider define the
   * audience.
   */
  readonly namesAudience: boolean;
  /**
   * Matches the error message for a token that is bound to another client's key. Undefined if the provider has no such
   * error.
   */
  readonly boundTokenError?: RegExp;
  /** Whether the exchange also returns a refresh token, which the server uses while the person is away. */
  readonly grantsOffline: boolean;
  readonly setup: string;
}

interface Person {
  readonly sub: string;
  /** `preferred_username` (OpenID Connect Core §5.1). */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}

export interface ConnectedAccountsService {
  /** Base URL without a trailing slash. */
  readonly endpoint: string;
  readonly audience: Readonly<Record<string, string>>;
  /** Whether the sign-in must request this resource (RFC 8707), so that the session can get tokens for it later. */
  readonly requestedAtSignIn: boolean;
  /** How a connection is completed: by the `provider`, or by a redirect to this machine (`loopback`). */
  readonly finish: 'provider' | 'loopback';
}

/**
 * Fits a binding message to a provider that allows no spaces: `BUY_5_AAPL_LMT_180.00_K7QP`. A long message is shortened
 * in the middle, because the person tells requests apart by the code at the end.
 * @param allowed matches one allowed character; any other character becomes `_`, or `.` if `_` is not allowed
 */
export function fitBindingMessage(message: string, allowed: RegExp, longest: number): string {
  const filler = allowed.test('_') ? '_' : '.';
  const text = [...message].map((character) => (allowed.test(character) ? character : filler)).join('');
  if (text.length <= longest) return text;
  const code = text.slice(text.lastIndexOf(filler));
  return `${text.slice(0, longest - code.length)}${code}`;
}
