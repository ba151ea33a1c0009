import type { ResolvedProfile } from '../config/profile.ts';
import type { Clock } from '../machine/clock.ts';
import type { UserDirs } from '../machine/directories.ts';
import type { CredentialName, CredentialStore } from '../secrets/credential-store.ts';
import { defined } from '../values/defined.ts';
import { signInProfile } from './company/sign-in-profile.ts';
import type { ProviderAccess } from './provider/provider.ts';
import { revokeTokens, type UnrevokedToken } from './provider/token-revocation.ts';
import { parseAccessToken } from './session/access-token.ts';
import type { User } from './session/session.ts';
import { parseStoredSession, sessionUser } from './session/stored-session.ts';

export interface LogoutOptions {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  readonly home?: UserDirs;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Whether to also delete the key that authenticates this machine to a company. */
  readonly forgetClients?: boolean;
}

export interface LogoutResult {
  readonly user: User | undefined;
  readonly hadTokens: boolean;
  /** Whether the refresh token was revoked at the provider. Also true if there was no refresh token. */
  readonly revoked: boolean;
  readonly unrevoked: readonly UnrevokedToken[];
  readonly warning: string | undefined;
}

/**
 * Signs out: revokes the refresh token and the access token at the provider (RFC 7009), and deletes them from this
 * machine even if they could not be revoked. The result lists the tokens that may still be valid.
 * @throws {TradeAgentError} `credential_store_…` if the session can't be deleted
 */
export async function logout(options: LogoutOptions): Promise<LogoutResult> {
  const { store } = options;
  const profile = signInProfile(options.profile);
  const access = { ...options, ...(await clientProof(options)) };
  return await store.exclusively('session', async () => {
    const stored = await store.get(['session', 'refresh_token', 'access_token'], { fresh: true });
    const session = parseStoredSession(stored.session, profile);
    const token = parseAccessToken(stored.access_token);
    const held = { refresh_token: stored.refresh_token, access_token: token?.value };
    // True if the stored session belongs to another issuer. A refresh token without a session is assumed to be this
    // issuer's.
    const isForeign = session === undefined && stored.session !== undefined;
    const unrevoked = isForeign ? foreignTokens(held) : await revokeTokens(profile, held, access);

    const names: CredentialName[] = ['refresh_token', 'access_token', 'session', 'dpop_key'];
    if (options.forgetClients) names.push('company_key');
    await store.delete(names);
    return {
      user: session === undefined || stored.refresh_token === undefined ? undefined : sessionUser(session),
      hadTokens: stored.refresh_token !== undefined || token !== undefined,
      revoked: unrevoked.every(({ token }) => token !== 'refresh_token'),
      unrevoked,
      warning: revocationWarning(unrevoked, profile.issuer, token?.expiresAt),
    };
  });
}

/** For a company sign-in, returns the client key, which the company requires to revoke tokens. */
async function clientProof({ profile, store }: LogoutOptions): Promise<Pick<ProviderAccess, 'privateKey'>> {
  if (profile.company === undefined) return {};
  const { readCompanyKey } = await import('./company/client-key.ts');
  const privateKey = await readCompanyKey(store);
  return defined({ privateKey });
}

/**
 * Lists another issuer's tokens as not revoked. They are deleted from this machine, but never sent to the profile's
 * issuer.
 */
function foreignTokens(held: Readonly<Record<UnrevokedToken['token'], string | undefined>>): UnrevokedToken[] {
  return (['refresh_token', 'access_token'] as const)
    .filter((token) => held[token] !== undefined)
    .map((token) => ({ token, reason: 'it belongs to another identity provider', unsupported: false }));
}

function revocationWarning(
  unrevoked: readonly UnrevokedToken[],
  issuer: string,
  accessEnds: number | undefined,
): string | undefined {
  const refresh = unrevoked.find(({ token }) => token === 'refresh_token');
  const ends = accessEnds === undefined ? '' : ` at ${new Date(accessEnds).toISOString()}`;
  if (refresh !== undefined) {
    const access = unrevoked.some(({ token }) => token === 'access_token')
      ? ` The access token expires by itself${ends}.`
      : '';
    return (
      `Signed out here, but the session could not be ended at the identity provider (${refresh.reason}). ` +
      `It stays valid there until it expires; end it in your account at ${issuer}.${access}`
    );
  }
  const access = unrevoked.find(({ token, unsupported }) => token === 'access_token' && !unsupported);
  return access === undefined
    ? undefined
    : `The session has ended, but the access token could not be revoked (${access.reason}); it expires by itself${ends}.`;
}
