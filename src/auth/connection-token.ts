import { type Clock, systemClock } from '../trading/clock.ts';
import { TradeAgentError } from '../trading/errors.ts';
import { type ClientCredentials, clientAuth } from './client-authentication.ts';
import { endOf } from './lifetime.ts';
import type { ResolvedProfile } from './profile.ts';
import { clientConfiguration, type ProviderAccess } from './provider.ts';
import { providerError, providerFailure } from './provider-failure.ts';
import type { ConnectionGrantRequest } from './providers/dialect.ts';
import { dialectOf } from './providers/dialect-of.ts';

/** Seconds a token without `expires_in` is taken to last. */
const UNKNOWN_LIFETIME_S = 60;

export interface ConnectionToken {
  readonly accessToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What providers answer when the person has not connected that account, or its consent has ended. */
const NOT_CONNECTED = [
  'invalid_target',
  'federated_connection_refresh_token_flow_failed',
  'federated_connection_refresh_token_not_found',
];

/**
 * An access token for an account the person has connected at the provider: RFC 8693 token exchange, or Auth0's Token
 * Vault. Got at the moment of use, kept nowhere.
 * @throws {TradeAgentError} `login_required` when the account isn't connected or the subject token has ended,
 *   `provider_unreachable`, `provider_error`
 */
export async function connectionToken(
  profile: ResolvedProfile,
  client: ClientCredentials,
  request: ConnectionGrantRequest,
  access: ProviderAccess,
): Promise<ConnectionToken> {
  const clock: Clock = access.clock ?? systemClock;
  const { grantType, parameters } = dialectOf(profile).connectionGrant(request);
  const { genericGrantRequest } = await import('openid-client');
  const configuration = await clientConfiguration(
    profile,
    { client_id: client.clientId },
    await clientAuth(client),
    access,
  );
  const sentAt = clock.now();
  try {
    const answer = await genericGrantRequest(configuration, grantType, { ...parameters });
    return {
      accessToken: answer.access_token,
      expiresAt: endOf(sentAt, answer.expires_in ?? UNKNOWN_LIFETIME_S),
    };
  } catch (error) {
    const failure = providerFailure(error);
    if (failure.kind === 'oauth' && NOT_CONNECTED.includes(failure.error)) {
      throw new TradeAgentError('login_required', `no ${request.connection} account is connected`, {
        hint: 'Connect it first.',
        details: { connection: request.connection },
      });
    }
    if (failure.kind === 'oauth' && failure.error === 'invalid_grant') {
      throw new TradeAgentError('login_required', 'the identity provider no longer accepts this session', {
        hint: 'Run "trade-agent login".',
      });
    }
    throw providerError(failure, `no access to the ${request.connection} account`, profile.issuer);
  }
}
