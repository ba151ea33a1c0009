import type { IDToken } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { Clock } from '../../machine/clock.ts';
import { IDENTITY_SCOPES, READ_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialName, CredentialStore } from '../../secrets/credential-store.ts';
import { defined } from '../../values/defined.ts';
import { expiryTime } from '../provider/lifetime.ts';
import {
  audienceParameters,
  loginClientConfiguration,
  type ProviderAccess,
  retryWithProviderTime,
  usesDpopBoundTokens,
} from '../provider/provider.ts';
import { classifyProviderFailure, toProviderError } from '../provider/provider-failure.ts';
import { type AccessToken, isUsableToken, parseAccessToken, serializeAccessToken } from './access-token.ts';
import { createDpopHandle, type PrivateJwk, parsePrivateJwk } from './dpop-key.ts';
import { parseStoredSession } from './stored-session.ts';

/** Assumed lifetime of a token without `expires_in`, in seconds. */
export const DEFAULT_TOKEN_LIFETIME_S = 60;

interface RefreshContext {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  readonly access: ProviderAccess;
  readonly clock: Clock;
  readonly sub: string;
  /** Request parameters for an audience other than the gateway. */
  readonly audience?: Readonly<Record<string, string>>;
}

/**
 * Exchanges the refresh token for an access token with these scopes, or adopts the access token that another process
 * has just fetched. Holds the cross-process lock from reading the refresh token until the new one is stored, because a
 * provider that rotates refresh tokens revokes all of them if an old one is used again.
 * @param rejected a token that the gateway rejected and that must not be adopted
 * @throws {TradeAgentError} `login_required`, `insufficient_scope`, `provider_unreachable`, `provider_error`
 */
export async function refreshAccessToken(
  context: RefreshContext,
  scopes: readonly string[],
  rejected?: string,
): Promise<AccessToken> {
  const { profile, store, clock, sub } = context;
  // Fetched before the lock is taken, so that the lock is held only for the exchange itself.
  const metadata = (await loginClientConfiguration(profile, context.access)).serverMetadata();
  return await store.exclusively('session', async () => {
    const held = await store.get(['session', 'refresh_token', 'dpop_key', 'access_token'], { fresh: true });
    const { sent, key } = requireSession(held, context);
    const adopted = parseAccessToken(held.access_token);
    if (
      isUsableToken(adopted, clock) &&
      adopted.sub === sub &&
      adopted.value !== rejected &&
      coversScopes(adopted, scopes)
    ) {
      return adopted;
    }

    const bound = usesDpopBoundTokens(profile, metadata);
    const proofKey = parsePrivateJwk(key);
    const { token, refreshToken, claims } = await requestTokens(
      context,
      scopes,
      sent,
      bound ? proofKey : undefined,
    ).catch(async (error: unknown): Promise<never> => {
      const failure = classifyProviderFailure(error);
      if (failure.kind === 'oauth' && failure.error === 'invalid_grant') {
        // Deletes only the token that was sent, because a newer stored token belongs to another process.
        await store.delete(['session', 'refresh_token', 'access_token'], { refresh_token: sent });
        throw loginRequiredError('your session has ended');
      }
      // A session has no access to a resource that its sign-in did not request.
      const refused = failure.kind === 'oauth' && ['invalid_scope', 'invalid_target'].includes(failure.error);
      if (refused) throw missingScopeError(scopes);
      throw toProviderError(failure, 'the session could not be renewed', profile.issuer);
    });

    const problem = responseProblem(token, claims, bound, profile);
    // Only a token with nothing but read scopes is stored. A token that can cancel orders stays in memory while a
    // command runs.
    const isKept = problem === undefined && isReadOnly(token) && !isIdentityOnly(scopes);
    const values = defined({
      refresh_token: refreshToken,
      access_token: isKept ? serializeAccessToken(token) : undefined,
    });
    if (Object.keys(values).length > 0) await storeRefreshToken(store, values, sent);

    // Thrown only after the new refresh token is stored, so that rejecting the response does not lose the session.
    if (problem !== undefined) throw problem;
    if (!coversScopes(token, scopes)) throw missingScopeError(scopes);
    return token;
  });
}

function requireSession(
  held: Partial<Record<CredentialName, string | undefined>>,
  { profile, sub }: RefreshContext,
): { readonly sent: string; readonly key: string } {
  const session = parseStoredSession(held.session, profile);
  const { refresh_token: sent, dpop_key: key } = held;
  if (session === undefined || sent === undefined || key === undefined) {
    throw loginRequiredError('you have been signed out');
  }
  if (session.sub !== sub) throw loginRequiredError('somebody else has signed in since');
  return { sent, key };
}

/** Exchanges the refresh token for new tokens, with a DPoP proof signed with `key` if tokens are bound to it. */
async function requestTokens(
  { profile, access, audience, clock, sub }: RefreshContext,
  scopes: readonly string[],
  sent: string,
  key: PrivateJwk | undefined,
) {
  const oidc = await import('openid-client');
  return await retryWithProviderTime(profile.issuer, async () => {
    const configuration = await loginClientConfiguration(profile, access);
    const DPoP = key === undefined ? undefined : await createDpopHandle(configuration, key);
    const target = isIdentityOnly(scopes) ? {} : (audience ?? audienceParameters(profile));
    const parameters = { scope: scopes.join(' '), ...target };
    const sentAt = clock.now();
    const tokens = await oidc.refreshTokenGrant(configuration, sent, parameters, defined({ DPoP }));
    const token: AccessToken = {
      value: tokens.access_token,
      type: tokens.token_type === 'dpop' ? 'dpop' : 'bearer',
      scopes: grantedScopes(tokens.access_token, tokens.scope?.split(' ') ?? scopes),
      expiresAt: expiryTime(sentAt, tokens.expires_in ?? DEFAULT_TOKEN_LIFETIME_S),
      sub,
    };
    return { token, refreshToken: tokens.refresh_token, claims: tokens.claims() };
  });
}

function responseProblem(
  token: AccessToken,
  claims: IDToken | undefined,
  bound: boolean,
  { issuer }: ResolvedProfile,
): TradeAgentError | undefined {
  if (bound && token.type !== 'dpop') {
    const message = 'the identity provider sent a token that is not bound to this machine’s key';
    return new TradeAgentError('provider_error', message, { hint: 'Allow DPoP for the login client.' });
  }
  // The response must be about the same person (OpenID Connect Core §12.2).
  if (claims === undefined || claims.sub === token.sub) return undefined;
  return new TradeAgentError('provider_error', 'the identity provider renewed the session of another user', {
    hint: `Check that ${issuer} is the right identity provider, and sign in again.`,
  });
}

/** Stores the new refresh token, with one retry if the store fails, because the old one can no longer be used. */
export async function storeRefreshToken(
  store: CredentialStore,
  values: Partial<Record<CredentialName, string>>,
  sent: string,
): Promise<void> {
  const expected = { refresh_token: sent };
  const changed = await store.set(values, expected).catch(() => store.set(values, expected));
  if (!changed) throw loginRequiredError('the session changed while it was being renewed');
}

/**
 * Returns the token's scopes. Keycloak's response lists every scope granted at sign-in even if the token has fewer, so
 * the `scope` in a readable token (RFC 9068 §2.2.3) takes precedence.
 */
export function grantedScopes(token: string, answered: readonly string[]): string[] {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { scope } = JSON.parse(payload) as { scope?: unknown };
    if (typeof scope === 'string') {
      const inside = scope.split(' ');
      return answered.filter((name) => inside.includes(name));
    }
  } catch {
    // Not a JWT, so the response's scopes are used.
  }
  return [...answered];
}

export function coversScopes(token: AccessToken, scopes: readonly string[]): boolean {
  return scopes.every((scope) => token.scopes.includes(scope));
}

/** Returns whether the scopes are only for the provider's userinfo endpoint, not for the gateway. */
function isIdentityOnly(scopes: readonly string[]): boolean {
  return scopes.every((scope) => (IDENTITY_SCOPES as readonly string[]).includes(scope));
}

function isReadOnly(token: AccessToken): boolean {
  const harmless: readonly string[] = [...READ_SCOPES, ...IDENTITY_SCOPES];
  return token.scopes.every((scope) => harmless.includes(scope));
}

export function missingScopeError(scopes: readonly string[]): TradeAgentError {
  return new TradeAgentError('insufficient_scope', `this session lacks ${scopes.join(', ')}`, {
    hint: 'Run "trade-agent login" and allow the requested access.',
    details: { scopes: [...scopes] },
  });
}
