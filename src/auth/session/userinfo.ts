import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import type { UserDirs } from '../../machine/directories.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { sanitizeDisplayName } from '../provider/id-token.ts';
import { loginClientConfiguration } from '../provider/provider.ts';
import { classifyProviderFailure, toProviderError } from '../provider/provider-failure.ts';
import { createDpopHandle, parsePrivateJwk } from './dpop-key.ts';
import type { User } from './session.ts';
import { parseStoredSession } from './stored-session.ts';
import { refreshAccessToken } from './token-refresh.ts';

const IDENTITY_SCOPES = ['openid', 'profile', 'email'];

/**
 * Asks the identity provider who is signed in (OpenID Connect Core §5.3), instead of trusting the stored session.
 * Rejects a response about anyone else (§5.3.2).
 * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `provider_error`
 */
export async function fetchUserinfo(options: {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  readonly home?: UserDirs;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}): Promise<User> {
  const { profile, store } = options;
  const access = { fetch: options.fetch, clock: options.clock, home: options.home };
  const stored = await store.get(['session', 'dpop_key']);
  const session = parseStoredSession(stored.session, profile);
  if (session === undefined || stored.dpop_key === undefined) throw loginRequiredError();
  const what = 'the signed-in user could not be verified';
  const configuration = await loginClientConfiguration(profile, access);
  if (configuration.serverMetadata().userinfo_endpoint === undefined) {
    throw new TradeAgentError('provider_error', `${what}: ${profile.issuer} has no userinfo endpoint`, {
      hint: 'Leave out --verify.',
    });
  }
  const token = await refreshAccessToken(
    { profile, store, access, clock: options.clock ?? systemClock, sub: session.sub },
    IDENTITY_SCOPES,
  );
  const { fetchUserInfo } = await import('openid-client');
  const DPoP =
    token.type === 'dpop' ? await createDpopHandle(configuration, parsePrivateJwk(stored.dpop_key)) : undefined;
  try {
    const claims = await fetchUserInfo(
      configuration,
      token.value,
      session.sub,
      ...(DPoP === undefined ? [] : [{ DPoP }]),
    );
    return { sub: claims.sub, name: sanitizeDisplayName(claims.name), email: sanitizeDisplayName(claims.email) };
  } catch (error) {
    if ((error as { status?: unknown }).status === 401) {
      throw loginRequiredError('the identity provider no longer accepts this session');
    }
    throw toProviderError(classifyProviderFailure(error), what, profile.issuer);
  }
}
