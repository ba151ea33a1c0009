import type { ServerMetadata } from 'openid-client';

/** What a provider must be able to do, each with what to set there when it can't. */
export type Feature = 'device' | 'ciba' | 'details' | 'dpop' | 'token_exchange';

/**
 * Where one provider departs from the standards, or leaves something open. Everything is plain data in, plain data
 * out; the requests themselves are the same for all.
 */
export interface Dialect {
  readonly label: string;
  recognizes(metadata: ServerMetadata): boolean;
  /** Adds endpoints that exist although discovery doesn't name them. */
  complete(metadata: ServerMetadata): ServerMetadata;
  /** What every sign-in asks for beside the gateway's scopes: who the user is, and a refresh token. */
  readonly identityScopes: readonly string[];
  audience(audience: string): Record<string, string>;
  /** Names the person to ask (CIBA Core §7.1, `login_hint`). */
  loginHint(person: Person, issuer: string): string;
  /** The message in the characters and the length the provider takes; its code, at the end, always stays. */
  bindingMessage(message: string): string;
  /** Seconds an approval may be open at most. */
  readonly longestApproval: number;
  /**
   * Whether approved `authorization_details` reach the token: as `announced` by the metadata (RFC 9396 §10), by being
   * `registered` where we can't look, or `never`.
   */
  readonly details: 'announced' | 'registered' | 'never';
  /** The grant by which the gateway turns a user's access token into one for a connected account. */
  readonly exchangeGrantType: string;
  /** How a server gets tokens for the gateway in people's names (RFC 8693), beside the audience. */
  readonly onBehalf: OnBehalf;
  /** Whether access tokens can be revoked one by one (RFC 7009 §2), not only with their refresh token. */
  readonly revokesAccessTokens: boolean;
  /** Where the person's accounts elsewhere are managed; undefined where the provider has nothing of the kind. */
  connectedAccounts(metadata: ServerMetadata): ConnectedAccountsService | undefined;
  readonly setup: Readonly<Record<Feature, string>>;
}

/** What a provider makes of a server's exchange of what a person's program called it with. */
interface OnBehalf {
  /** Whether it names the gateway as the audience; where not, what is set for the server's client says whom its tokens are for. */
  readonly namesAudience: boolean;
  /** What it says of a token that it exchanges for nobody but the client whose key it is bound to; undefined where it has no such rule. */
  readonly refusesBound?: RegExp;
  /** Whether a refresh token comes of it, too: a grant of the server's own, for when the person is away. */
  readonly grantsOffline: boolean;
  readonly setup: string;
}

interface Person {
  readonly sub: string;
  /** `preferred_username` (OpenID Connect Core §5.1). */
  readonly username?: string | undefined;
  readonly email?: string | undefined;
}

/** A provider's API for the accounts elsewhere that a person has connected. */
export interface ConnectedAccountsService {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly audience: Readonly<Record<string, string>>;
  /** Whether a sign-in must name it for its session to get such tokens later (RFC 8707). */
  readonly atSignIn: boolean;
  /**
   * How a connection is finished: by the `provider`, whatever browser the person uses, or by an address on this
   * machine that the browser must come back to (`loopback`).
   */
  readonly finish: 'provider' | 'loopback';
}

/**
 * A binding message for a provider that takes no spaces: `BUY_5_AAPL_LMT_180.00_K7QP`. What is too long loses its
 * middle, never the code at its end, by which the person tells requests apart.
 * @param allowed matches one character the provider takes; others become `_`, or `.` where that isn't taken either
 */
export function fittingMessage(message: string, allowed: RegExp, longest: number): string {
  const filler = allowed.test('_') ? '_' : '.';
  const text = [...message].map((character) => (allowed.test(character) ? character : filler)).join('');
  if (text.length <= longest) return text;
  const code = text.slice(text.lastIndexOf(filler));
  return `${text.slice(0, longest - code.length)}${code}`;
}
