import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import { READ_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { verifyIdToken } from '../provider/id-token.ts';
import {
  audienceParameters,
  loginClientConfiguration,
  type ProviderAccess,
  usesDpopBoundTokens,
} from '../provider/provider.ts';
import { classifyProviderFailure, toProviderError } from '../provider/provider-failure.ts';
import { createDpopHandle, generatePrivateJwk, parsePrivateJwk } from './dpop-key.ts';
import { createStoredSession } from './stored-session.ts';

/**
 * Creates a session from a bare refresh token: exchanges it, reads the user from the ID token, and stores the new
 * refresh token. Does nothing if there is already a session.
 * @throws {TradeAgentError} `login_required`, `provider_unreachable`, `provider_error`, `credential_store_…`
 */
export async function adoptRefreshToken(
  profile: ResolvedProfile,
  store: CredentialStore,
  access: ProviderAccess,
): Promise<void> {
  const names = ['session', 'refresh_token', 'dpop_key'] as const;
  const isBare = (held: Partial<Record<(typeof names)[number], string | undefined>>) =>
    held.session === undefined && held.refresh_token !== undefined;
  if (!isBare(await store.get(names))) return;
  const clock: Clock = access.clock ?? systemClock;
  const configuration = await loginClientConfiguration(profile, access);
  await store.exclusively('session', async () => {
    const held = await store.get(names, { fresh: true });
    if (!isBare(held) || held.refresh_token === undefined) return;
    const sent = held.refresh_token;
    const metadata = configuration.serverMetadata();
    const key = held.dpop_key === undefined ? await generatePrivateJwk() : parsePrivateJwk(held.dpop_key);
    const { refreshTokenGrant } = await import('openid-client');
    const tokens = await refreshTokenGrant(
      configuration,
      sent,
      { scope: ['openid', ...READ_SCOPES].join(' '), ...audienceParameters(profile) },
      usesDpopBoundTokens(profile, metadata) ? { DPoP: await createDpopHandle(configuration, key) } : {},
    ).catch((error: unknown): never => {
      const failure = classifyProviderFailure(error);
      if (failure.kind === 'oauth' && failure.error === 'invalid_grant') {
        throw loginRequiredError('the identity provider did not accept the refresh token');
      }
      throw toProviderError(failure, 'the session could not be opened', profile.issuer);
    });
    // The token and its key are stored first, because nothing could restore them after a crash.
    const successor = tokens.refresh_token ?? sent;
    await store.set({ refresh_token: successor, dpop_key: JSON.stringify(key) }, { refresh_token: sent });
    if (tokens.id_token === undefined) {
      throw new TradeAgentError('provider_error', 'the identity provider did not say whose refresh token this is', {
        hint: 'Run "trade-agent login" once, with the same environment variables set, to store a complete session.',
      });
    }
    const claims = await verifyIdToken(tokens.id_token, {
      metadata,
      clientId: profile.login_client.client_id,
      clock,
      fetch: access.fetch,
    });
    const session = createStoredSession(profile, claims, tokens.scope?.split(' ') ?? READ_SCOPES);
    await store.set({ session: JSON.stringify(session) }, { refresh_token: successor });
  });
}
