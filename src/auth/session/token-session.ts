import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { isSecureUrl } from '../../net/secure-url.ts';
import { MANDATE_SCOPE, PROPOSE_MESSAGES_SCOPE, PROPOSE_ORDERS_SCOPE, READ_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { type AccessToken, isUsableToken, parseAccessToken } from './access-token.ts';
import { type PrivateJwk, parsePrivateJwk } from './dpop-key.ts';
import { createDpopProver } from './dpop-proof.ts';
import { GATEWAY_TIMEOUT_MS, sendToGateway } from './gateway-request.ts';
import { requireFreshLogin } from './live-login.ts';
import type { Session, User } from './session.ts';
import { parseStoredSession, sessionUser } from './stored-session.ts';
import { coversScopes, missingScopeError, refreshAccessToken } from './token-refresh.ts';

export interface SessionOptions {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  readonly home: UserDirs;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Whether to allow only requests with read scopes. Other requests are rejected locally. */
  readonly readOnly?: boolean;
  readonly timeoutMs?: number;
}

/**
 * Returns the signed-in person's session, or undefined if nobody is signed in. Sends no requests. While a stored access
 * token is valid, requests go directly to the gateway, and the OAuth library is not loaded.
 */
export async function openSession(options: SessionOptions): Promise<Session | undefined> {
  const { profile, store } = options;
  const clock = options.clock ?? systemClock;
  const stored = await store.get(['session', 'refresh_token', 'access_token', 'dpop_key']);
  const session = parseStoredSession(stored.session, profile);
  if (session === undefined || stored.refresh_token === undefined || stored.dpop_key === undefined) return undefined;
  const user = sessionUser(session);
  const access = { fetch: options.fetch, clock: options.clock, home: options.home };
  const kept = parseAccessToken(stored.access_token);
  return createTokenSession({
    ...options,
    user,
    key: parsePrivateJwk(stored.dpop_key),
    scopes: session.scopes,
    kept: kept?.sub === user.sub ? kept : undefined,
    renew: (scopes, rejected) => refreshAccessToken({ profile, store, clock, sub: user.sub, access }, scopes, rejected),
    requireFresh: () => requireFreshLogin(profile, store, clock),
  });
}

export interface TokenSource extends Omit<SessionOptions, 'store' | 'home'> {
  readonly user: User;
  readonly clientId?: string | undefined;
  readonly key: PrivateJwk;
  readonly scopes: readonly string[];
  readonly kept?: AccessToken | undefined;
  /**
   * Gets a new access token for these scopes. Calls are serialized.
   * @param rejected a token that the gateway rejected
   * @throws {TradeAgentError} `login_required`, `insufficient_scope`, `provider_unreachable`, `provider_error`
   */
  readonly renew: (scopes: readonly string[], rejected: string | undefined) => Promise<AccessToken>;
  /** Checks that the sign-in is fresh. @throws {TradeAgentError} `login_required` if it is too old for a live order */
  readonly requireFresh: () => Promise<void>;
  /** Returns the error for missing scopes. The default error suggests signing in again. */
  readonly missing?: ((scopes: readonly string[]) => Error) | undefined;
}

/** Creates a session from a token source. Access tokens are kept in memory until they expire. */
export function createTokenSession(source: TokenSource): Session {
  const { profile, user, clientId, readOnly = false, renew, missing = missingScopeError } = source;
  const clock = source.clock ?? systemClock;
  const send = source.fetch ?? fetch;
  const timeoutMs = source.timeoutMs ?? GATEWAY_TIMEOUT_MS;
  const prover = createDpopProver(source.key, clock);
  const tokens = new Map<string, AccessToken>();
  if (source.kept !== undefined) tokens.set(scopeKey(READ_SCOPES), source.kept);

  let renewals: Promise<unknown> = Promise.resolve();
  /** Returns a cached or new token. Renewals are serialized: two at once would send the same refresh token twice. */
  const tokenFor = (scopes: readonly string[], rejected?: string): Promise<AccessToken> => {
    const cached = () => {
      const token = tokens.get(scopeKey(scopes));
      return isUsableToken(token, clock) && token.value !== rejected && coversScopes(token, scopes) ? token : undefined;
    };
    const now = cached();
    if (now !== undefined) return Promise.resolve(now);
    const renewal = renewals.then(async () => {
      // A renewal that finished while this call was queued may have fetched the token.
      const token = cached() ?? (await renew(scopes, rejected));
      tokens.set(scopeKey(scopes), token);
      return token;
    });
    renewals = renewal.catch(() => {});
    return renewal;
  };

  const gatewayUrl = (text: string): URL => {
    const url = new URL(text);
    if (url.origin !== new URL(profile.gateway).origin || !isSecureUrl(url.href)) {
      throw new TradeAgentError('internal', `a token was about to be sent to ${url.origin}, which is not the gateway`, {
        details: { sent: false },
      });
    }
    return url;
  };

  return {
    profile,
    user,
    clientId,
    async fetch(text, init, scopes) {
      const url = gatewayUrl(text);
      const wanted = tokenScopes(scopes);
      if (readOnly && !isWithin(wanted, READ_SCOPES)) throw readOnlyError(scopes);
      if (!isWithin(wanted, source.scopes)) throw missing(wanted);
      if (needsFreshLogin(wanted)) await source.requireFresh();
      const token = await tokenFor(wanted);
      const called = profile.server === undefined ? 'gateway' : 'server';
      const request = { fetch: send, prover, url, init, timeoutMs, called };
      const response = await sendToGateway({ ...request, token });
      // A request whose body is a stream can't be repeated, because a stream can be read only once.
      if (response.status !== 401 || init.body instanceof ReadableStream) return response;
      await response.body?.cancel();
      return await sendToGateway({ ...request, token: await tokenFor(wanted, token.value) });
    },
  };
}

/**
 * Returns the scopes to request. A request that only reads gets all read scopes, so that one stored token serves every
 * read command. Any other request gets exactly the scopes that it needs.
 */
function tokenScopes(scopes: readonly string[]): readonly string[] {
  return isWithin(scopes, READ_SCOPES) ? READ_SCOPES : [...new Set(scopes)].sort();
}

/**
 * Returns whether these scopes need a fresh sign-in: the order scope without the mandate scope, or the reverse. Both
 * scopes together need none, because they are for orders under a mandate that the person approved earlier. With the
 * message scope too, a fresh sign-in is needed, because a conversation on a server can propose orders and mandates.
 */
function needsFreshLogin(wanted: readonly string[]): boolean {
  const [orders, mandates] = [wanted.includes(PROPOSE_ORDERS_SCOPE), wanted.includes(MANDATE_SCOPE)];
  return orders !== mandates || (orders && wanted.includes(PROPOSE_MESSAGES_SCOPE));
}

function isWithin(scopes: readonly string[], allowed: readonly string[]): boolean {
  return scopes.every((scope) => allowed.includes(scope));
}

function scopeKey(scopes: readonly string[]): string {
  return [...scopes].sort().join(' ');
}

function readOnlyError(scopes: readonly string[]): TradeAgentError {
  return new TradeAgentError('insufficient_scope', `this run is read-only and does not request ${scopes.join(', ')}`, {
    hint: 'Leave out --read-only.',
    // Tells the caller that no order was sent.
    details: { scopes: [...scopes], sent: false },
  });
}
