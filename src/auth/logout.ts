import type { Clock } from '../trading/clock.ts';
import type { CredentialName, CredentialStore } from './credential-store/credential-store.ts';
import type { Home } from './home.ts';
import type { ResolvedProfile } from './profile.ts';
import { loginClient, type ProviderAccess } from './provider.ts';
import { providerFailure } from './provider-failure.ts';
import type { User } from './session.ts';
import { parseStoredSession, userOf } from './stored-session.ts';

export interface LogoutOptions {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  readonly home?: Home;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Also removes the approval client's id and key; the next approval registers a new client. */
  readonly forgetApprovalClient?: boolean;
}

export interface LogoutResult {
  /** Who was signed in; `undefined` when nobody was. */
  readonly user: User | undefined;
  /** Whether the provider has ended the session too. True when there was none. */
  readonly revoked: boolean;
  /** What the person should know when the session could not be ended at the provider. */
  readonly warning: string | undefined;
}

/**
 * Signs out: ends the session at the provider (RFC 7009) and removes it here. What is here goes also when the provider
 * can't be reached, and the result says that its side is still open.
 * @throws {TradeAgentError} `credential_store_…` when the session can't be removed
 */
export async function logout(options: LogoutOptions): Promise<LogoutResult> {
  const { profile, store } = options;
  return await store.exclusively('session', async () => {
    const stored = await store.get(['session', 'refresh_token'], { fresh: true });
    const session = parseStoredSession(stored.session, profile);
    // A token of another issuer is not sent to this one; it is only removed.
    const problem =
      stored.refresh_token === undefined
        ? undefined
        : session === undefined
          ? 'it belongs to another identity provider'
          : await revoke(profile, stored.refresh_token, options);

    const names: CredentialName[] = ['refresh_token', 'access_token', 'session', 'dpop_key'];
    if (options.forgetApprovalClient) names.push('approval_client', 'approval_secret');
    await store.delete(names);
    return {
      user: session === undefined || stored.refresh_token === undefined ? undefined : userOf(session),
      revoked: problem === undefined,
      warning:
        problem === undefined
          ? undefined
          : `Signed out here, but the session could not be ended at the identity provider (${problem}). ` +
            `It stays valid there until it expires; end it in your account at ${profile.issuer}.`,
    };
  });
}

/** Ends the refresh token, and with it the grant and its access tokens (RFC 7009 §2.1). The answer is what went wrong. */
async function revoke(
  profile: ResolvedProfile,
  refreshToken: string,
  access: ProviderAccess,
): Promise<string | undefined> {
  try {
    const configuration = await loginClient(profile, access);
    if (configuration.serverMetadata().revocation_endpoint === undefined) return 'it offers no revocation';
    const { tokenRevocation } = await import('openid-client');
    await tokenRevocation(configuration, refreshToken, { token_type_hint: 'refresh_token' });
    return undefined;
  } catch (error) {
    // Discovery reports in the program's own words already.
    const code = (error as { code?: unknown }).code;
    if (code === 'provider_unreachable' || code === 'provider_error') return "it can't be reached";
    const failure = providerFailure(error);
    return failure.kind === 'oauth' ? `it answered ${failure.error}` : failure.reason;
  }
}
