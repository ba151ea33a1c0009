import { dialectOf } from '../../auth/provider/dialects.ts';
import { endOf } from '../../auth/provider/lifetime.ts';
import {
  audienceParameters,
  bindsTokens,
  inProviderTime,
  loginClient,
  type ProviderAccess,
} from '../../auth/provider/provider.ts';
import { providerError, providerFailure } from '../../auth/provider/provider-failure.ts';
import { type AccessToken, isUsable } from '../../auth/session/access-token.ts';
import { dpopHandle, type PrivateJwk } from '../../auth/session/dpop-key.ts';
import { covers, grantedScopes, missingScope, UNKNOWN_LIFETIME_S } from '../../auth/session/token-refresh.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { ACCESS_TOKEN_TYPE, REFRESH_TOKEN_TYPE, TOKEN_EXCHANGE_GRANT } from '../../oauth/oauth-names.ts';
import { EXCHANGED_WITHIN_MS } from './kept-session.ts';

/** The server's client at the provider, and where its tokens are for. */
export interface ServerClient {
  /** Its `login_client` is the server's own. */
  readonly profile: ResolvedProfile;
  readonly access: ProviderAccess;
  readonly clock: Clock;
}

/** What a person's program called the server with, and by which key what is exchanged for it is used. */
export interface Brought {
  readonly token: AccessToken;
  readonly key: PrivateJwk;
}

export type Exchange =
  | {
      readonly outcome: 'exchanged';
      readonly token: AccessToken;
      /** Of a grant of the server's own. */
      readonly refreshToken: string | undefined;
    }
  /** The provider takes what was brought no longer: it is over, or the sign-in behind it is. */
  | { readonly outcome: 'gone' };

/** What providers answer to a subject token that they don't take (RFC 8693 §2.2.2, RFC 6749 §5.2; Keycloak: RFC 6750 §3.1). */
const NOT_TAKEN = ['invalid_request', 'invalid_grant', 'invalid_token'];

/**
 * Exchanges an access token for the server into one for the gateway (RFC 8693 §2.1).
 * @param scopes what it is for; all that was brought where a grant of the server's own is asked for
 * @param wanted `offline`: also a grant of the server's own, for when the person is away
 * @throws {TradeAgentError} `insufficient_scope`, `provider_unreachable`, `provider_error`
 */
export async function exchangeToken(
  { profile, access, clock }: ServerClient,
  { token: brought, key }: Brought,
  scopes: readonly string[],
  wanted: 'online' | 'offline' = 'online',
): Promise<Exchange> {
  if (!isUsable(brought, clock, EXCHANGED_WITHIN_MS)) return { outcome: 'gone' };
  if (!covers(brought, scopes)) throw missingScope(scopes);
  const { onBehalf } = dialectOf(profile);
  const oidc = await import('openid-client');
  let bound = false;
  let sentAt = clock.now();
  try {
    const answer = await inProviderTime(profile.issuer, async () => {
      const configuration = await loginClient(profile, access);
      bound = bindsTokens(profile, configuration.serverMetadata());
      const proof = bound ? { DPoP: await dpopHandle(configuration, key) } : {};
      sentAt = clock.now();
      return await oidc.genericGrantRequest(
        configuration,
        TOKEN_EXCHANGE_GRANT,
        {
          subject_token: brought.value,
          subject_token_type: ACCESS_TOKEN_TYPE,
          requested_token_type: wanted === 'offline' ? REFRESH_TOKEN_TYPE : ACCESS_TOKEN_TYPE,
          scope: scopes.join(' '),
          ...(onBehalf.namesAudience ? audienceParameters(profile) : {}),
        },
        proof,
      );
    });
    const token: AccessToken = {
      value: answer.access_token,
      type: answer.token_type === 'dpop' ? 'dpop' : 'bearer',
      scopes: grantedScopes(answer.access_token, answer.scope?.split(' ') ?? scopes),
      expiresAt: endOf(sentAt, answer.expires_in ?? UNKNOWN_LIFETIME_S),
      sub: brought.sub,
    };
    requireOwn(token, bound);
    if (!covers(token, scopes)) throw missingScope(scopes);
    return { outcome: 'exchanged', token, refreshToken: answer.refresh_token };
  } catch (error) {
    if (error instanceof TradeAgentError) throw error;
    const failure = providerFailure(error);
    if (failure.kind === 'oauth') {
      const isNever = onBehalf.refusesBound?.test(failure.description ?? '') ?? false;
      if (!isNever && NOT_TAKEN.includes(failure.error)) return { outcome: 'gone' };
      if (failure.error === 'invalid_scope') throw missingScope(scopes);
      throw new TradeAgentError(
        'provider_error',
        `the identity provider gave the server no access to the gateway (${failure.error})`,
        { hint: onBehalf.setup },
      );
    }
    throw providerError(failure, 'access to the gateway could not be had', profile.issuer);
  }
}

/** @throws {TradeAgentError} `provider_error` for a token that is bound to no key, or is somebody else's */
function requireOwn(token: AccessToken, bound: boolean): void {
  const refuse = (what: string, hint: string): never => {
    throw new TradeAgentError('provider_error', `the identity provider sent a token ${what}`, { hint });
  };
  if (bound && token.type !== 'dpop') {
    refuse('that is not bound to our key', 'Allow DPoP for the server’s client.');
  }
  const sub = subjectOf(token.value);
  if (sub !== undefined && sub !== token.sub) {
    refuse(
      'of another person than the one it was shown',
      'Check the identity provider: nothing was sent by it.',
    );
  }
}

/** Whose a token is, where it can be read. */
function subjectOf(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    const { sub } = JSON.parse(payload) as { sub?: unknown };
    return typeof sub === 'string' ? sub : undefined;
  } catch {
    return undefined;
  }
}
