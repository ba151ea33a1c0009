import type { ResolvedProfile } from '../config/profile.ts';
import type { Clock } from '../machine/clock.ts';
import type { Home } from '../machine/directories.ts';
import type { CredentialName, CredentialStore } from '../secrets/credential-store.ts';
import { defined } from '../values/defined.ts';
import { signInProfile } from './company/sign-in-profile.ts';
import type { ProviderAccess } from './provider/provider.ts';
import { revokeTokens, type UnrevokedToken } from './provider/token-revocation.ts';
import { parseAccessToken } from './session/access-token.ts';
import type { User } from './session/session.ts';
import { parseStoredSession, userOf } from './session/stored-session.ts';

export interface LogoutOptions {
  readonly profile: ResolvedProfile;
  readonly store: CredentialStore;
  readonly home?: Home;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  /** Also removes the key by which this machine proves itself to a company. */
  readonly forgetClients?: boolean;
}

export interface LogoutResult {
  readonly user: User | undefined;
  /** Whether there was any token to end. */
  readonly anything: boolean;
  /** Whether the provider has ended the session too. True when there was none. */
  readonly revoked: boolean;
  readonly unrevoked: readonly UnrevokedToken[];
  /** What the person should know when something could not be ended at the provider. */
  readonly warning: string | undefined;
}

/**
 * Signs out: revokes refresh and access token at the provider (RFC 7009) and removes them here. What is here goes also
 * when the provider can't be reached, and the result says what may still be good at its side.
 * @throws {TradeAgentError} `credential_store_…` when the session can't be removed
 */
export async function logout(options: LogoutOptions): Promise<LogoutResult> {
  const { store } = options;
  const profile = signInProfile(options.profile);
  const access = { ...options, ...(await proofOf(options)) };
  return await store.exclusively('session', async () => {
    const stored = await store.get(['session', 'refresh_token', 'access_token'], { fresh: true });
    const session = parseStoredSession(stored.session, profile);
    const token = parseAccessToken(stored.access_token);
    const held = { refresh_token: stored.refresh_token, access_token: token?.value };
    // A session of another issuer's; a refresh token that came without a session was meant for this one.
    const isForeign = session === undefined && stored.session !== undefined;
    const unrevoked = isForeign ? foreign(held) : await revokeTokens(profile, held, access);

    const names: CredentialName[] = ['refresh_token', 'access_token', 'session', 'dpop_key'];
    if (options.forgetClients) names.push('company_key');
    await store.delete(names);
    return {
      user: session === undefined || stored.refresh_token === undefined ? undefined : userOf(session),
      anything: stored.refresh_token !== undefined || token !== undefined,
      revoked: unrevoked.every(({ token }) => token !== 'refresh_token'),
      unrevoked,
      warning: warningOf(unrevoked, profile.issuer, token?.expiresAt),
    };
  });
}

/** A company's client must prove itself to end what it was given. */
async function proofOf({ profile, store }: LogoutOptions): Promise<Pick<ProviderAccess, 'privateKey'>> {
  if (profile.company === undefined) return {};
  const { keptCompanyKey } = await import('./company/client-key.ts');
  const privateKey = await keptCompanyKey(store);
  return defined({ privateKey });
}

/** A token of another issuer is not sent to this one; it is only removed. */
function foreign(held: Readonly<Record<UnrevokedToken['token'], string | undefined>>): UnrevokedToken[] {
  return (['refresh_token', 'access_token'] as const)
    .filter((token) => held[token] !== undefined)
    .map((token) => ({ token, reason: 'it belongs to another identity provider', unsupported: false }));
}

function warningOf(
  unrevoked: readonly UnrevokedToken[],
  issuer: string,
  accessEnds: number | undefined,
): string | undefined {
  const refresh = unrevoked.find(({ token }) => token === 'refresh_token');
  const ends = accessEnds === undefined ? '' : ` at ${new Date(accessEnds).toISOString()}`;
  if (refresh !== undefined) {
    const access = unrevoked.some(({ token }) => token === 'access_token')
      ? ` The access token ends by itself${ends}.`
      : '';
    return (
      `Signed out here, but the session could not be ended at the identity provider (${refresh.reason}). ` +
      `It stays valid there until it expires; end it in your account at ${issuer}.${access}`
    );
  }
  const access = unrevoked.find(({ token, unsupported }) => token === 'access_token' && !unsupported);
  return access === undefined
    ? undefined
    : `The session is ended, but the access token could not be revoked (${access.reason}); it ends by itself${ends}.`;
}
