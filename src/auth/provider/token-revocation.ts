import type { Configuration } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { dialectOf } from './dialects.ts';
import { loginClient, type ProviderAccess } from './provider.ts';
import { type ProviderFailure, providerFailure } from './provider-failure.ts';

type RevocableToken = 'refresh_token' | 'access_token';

/** A token that may still be good at the provider, though it is deleted here. */
export interface UnrevokedToken {
  readonly token: RevocableToken;
  /** Why, in words that go after "it could not be revoked". */
  readonly reason: string;
  /** The provider can't revoke tokens of this kind at all: nothing went wrong. */
  readonly unsupported: boolean;
}

/**
 * Revokes tokens of the login client (RFC 7009), each with a request of its own and the refresh token first: its
 * access tokens may end with it, and an unreachable provider is not waited for twice.
 * @returns those that could not be revoked; never throws
 */
export async function revokeTokens(
  profile: ResolvedProfile,
  tokens: Readonly<Partial<Record<RevocableToken, string | undefined>>>,
  access: ProviderAccess,
): Promise<readonly UnrevokedToken[]> {
  const held = (['refresh_token', 'access_token'] as const).flatMap((token) => {
    const value = tokens[token];
    return value === undefined ? [] : [{ token, value }];
  });
  if (held.length === 0) return [];
  const none = (reason: string, unsupported: boolean) =>
    held.map(({ token }) => ({ token, reason, unsupported }));
  try {
    const configuration = await loginClient(profile, access);
    if (configuration.serverMetadata().revocation_endpoint === undefined) {
      return none('it offers no revocation', false);
    }
    return await revokeEach(configuration, held, dialectOf(profile).revokesAccessTokens);
  } catch (error) {
    // Discovery alone gets here, and reports in the program's own words: no more is to be said than that.
    return none(
      (error as { code?: unknown }).code === 'provider_unreachable'
        ? "it can't be reached"
        : 'its metadata is not to be trusted',
      false,
    );
  }
}

async function revokeEach(
  configuration: Configuration,
  held: readonly { readonly token: RevocableToken; readonly value: string }[],
  revokesAccessTokens: boolean,
): Promise<readonly UnrevokedToken[]> {
  const { tokenRevocation } = await import('openid-client');
  const left: UnrevokedToken[] = [];
  let away: string | undefined;
  for (const { token, value } of held) {
    if (token === 'access_token' && !revokesAccessTokens) {
      left.push({ token, reason: 'it revokes refresh tokens alone', unsupported: true });
    } else if (away !== undefined) {
      left.push({ token, reason: away, unsupported: false });
    } else {
      const failure = await tokenRevocation(configuration, value, { token_type_hint: token }).then(
        () => undefined,
        providerFailure,
      );
      if (failure?.kind === 'unreachable') away = failure.reason;
      if (failure !== undefined) left.push({ token, ...unrevoked(failure) });
    }
  }
  return left;
}

function unrevoked(failure: ProviderFailure): Omit<UnrevokedToken, 'token'> {
  if (failure.kind !== 'oauth') return { reason: failure.reason, unsupported: false };
  // RFC 7009 §2.2.1.
  const unsupported = failure.error === 'unsupported_token_type';
  return { reason: `it answered ${failure.error}`, unsupported };
}
