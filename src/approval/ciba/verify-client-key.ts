import { randomUUID } from 'node:crypto';
import { retryWithProviderTime } from '../../auth/provider/provider.ts';
import { classifyProviderFailure, toProviderError } from '../../auth/provider/provider-failure.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { CIBA_GRANT } from '../../oauth/oauth-names.ts';
import { type CibaClientOptions, createCibaClientFactory } from './ciba-client.ts';

/**
 * Errors that a provider returns only after it has authenticated the client, because the request is unknown or the
 * client may not make such requests. They prove that the provider accepts the key.
 */
const AUTHENTICATED_ERRORS = [
  'invalid_grant',
  'expired_token',
  'access_denied',
  'authorization_pending',
  'unauthorized_client',
];

/**
 * Verifies that the provider accepts this key for the client, without asking anyone for an approval.
 * @throws {TradeAgentError} `provider_error` if the provider rejects the key, `provider_unreachable`
 */
export async function verifyClientKey(
  options: Omit<CibaClientOptions, 'ids'> & { readonly clientId: string },
): Promise<void> {
  const { clientId, issuer } = options;
  const what = 'the new key could not be tested';
  const client = await createCibaClientFactory({ ...options, ids: { current: async () => clientId } })();
  const { genericGrantRequest } = await import('openid-client');
  try {
    await retryWithProviderTime(issuer, async () =>
      genericGrantRequest(await client.configure({ fetch: options.access.fetch }), CIBA_GRANT, {
        auth_req_id: `none-${randomUUID()}`,
      }),
    );
  } catch (error) {
    const failure = classifyProviderFailure(error);
    if (failure.kind !== 'oauth') throw toProviderError(failure, what, issuer);
    if (AUTHENTICATED_ERRORS.includes(failure.error)) return;
    throw new TradeAgentError(
      'provider_error',
      `the identity provider does not accept the new key for ${clientId} (${failure.error})`,
      {
        hint: 'Enter the public key at the provider, wait until it is saved, then try again. The old key stays in use.',
        details: { error: failure.error },
      },
    );
  }
  // The provider issued a token for a request that was never made.
  throw new TradeAgentError('provider_error', `${what}: the response is not valid`, {
    hint: `Check that ${issuer} is the right identity provider.`,
  });
}
