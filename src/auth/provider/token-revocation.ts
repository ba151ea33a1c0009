import type { Configuration } from 'openid-client';
import type { ResolvedProfile } from '../../config/profile.ts';
import { providerDialect } from './dialects.ts';
import { loginClientConfiguration, type ProviderAccess } from './provider.ts';
import { classifyProviderFailure, type ProviderFailure } from './provider-failure.ts';

type RevocableToken = 'refresh_token' | 'access_token';

export interface UnrevokedToken {
  readonly token: RevocableToken;
  /** The reason, worded to follow "it could not be revoked". */
  readonly reason: string;
  /** Whether the provider can't revoke this kind of token at all, which is not a failure. */
  readonly unsupported: boolean;
}

/**
 * Revokes tokens of the login client (RFC 7009), one request each. The refresh token goes first because revoking it may
 * also revoke its access tokens. If the provider can't be reached, skips the remaining tokens.
 * @returns the tokens that could not be revoked; never throws
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
  const none = (reason: string, unsupported: boolean) => held.map(({ token }) => ({ token, reason, unsupported }));
  try {
    const configuration = await loginClientConfiguration(profile, access);
    if (configuration.serverMetadata().revocation_endpoint === undefined) {
      return none('it does not support revocation', false);
    }
    return await revokeEach(configuration, held, providerDialect(profile).revokesAccessTokens);
  } catch (error) {
    // Only discovery can fail here. Its error code is enough to choose a message that is safe to display.
    return none(
      (error as { code?: unknown }).code === 'provider_unreachable'
        ? "it can't be reached"
        : 'its metadata can’t be trusted',
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
      left.push({ token, reason: 'it revokes only refresh tokens', unsupported: true });
    } else if (away !== undefined) {
      left.push({ token, reason: away, unsupported: false });
    } else {
      const failure = await tokenRevocation(configuration, value, { token_type_hint: token }).then(
        () => undefined,
        classifyProviderFailure,
      );
      if (failure?.kind === 'unreachable') away = failure.reason;
      if (failure !== undefined) left.push({ token, ...revocationFailure(failure) });
    }
  }
  return left;
}

function revocationFailure(failure: ProviderFailure): Omit<UnrevokedToken, 'token'> {
  if (failure.kind !== 'oauth') return { reason: failure.reason, unsupported: false };
  // The provider can't revoke tokens of this type (RFC 7009 §2.2.1).
  const unsupported = failure.error === 'unsupported_token_type';
  return { reason: `it responded with ${failure.error}`, unsupported };
}
