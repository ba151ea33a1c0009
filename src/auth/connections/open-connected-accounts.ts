import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import { type Clock, systemClock } from '../../machine/clock.ts';
import type { UserDirs } from '../../machine/directories.ts';
import { CONNECTION_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { companyScopeMissingError } from '../company/company-failure.ts';
import type { ConnectedAccountsService } from '../provider/dialect.ts';
import { providerDialect } from '../provider/dialects.ts';
import { loginClientConfiguration } from '../provider/provider.ts';
import { type AccessToken, isUsableToken } from '../session/access-token.ts';
import { parsePrivateJwk } from '../session/dpop-key.ts';
import { createDpopProver, type DpopProver } from '../session/dpop-proof.ts';
import { parseStoredSession } from '../session/stored-session.ts';
import { refreshAccessToken } from '../session/token-refresh.ts';
import { type ConnectedAccountsClient, createConnectedAccountsClient } from './connected-accounts-client.ts';

export interface OpenConnectedAccounts {
  readonly accounts: ConnectedAccountsClient;
  readonly finish: ConnectedAccountsService['finish'];
}

/**
 * Returns a client for the signed-in person's connected accounts at their identity provider. The access token is
 * fetched on the first request and never stored.
 * @throws {TradeAgentError} `login_required`; `insufficient_scope` for a company sign-in; `invalid_config` if the
 * provider does not support connected accounts
 */
export async function openConnectedAccounts(
  profile: ResolvedProfile,
  store: CredentialStore,
  options: { home: UserDirs; fetch?: typeof fetch; clock?: Clock },
): Promise<OpenConnectedAccounts> {
  const clock = options.clock ?? systemClock;
  // Connected accounts belong to the person. A company's sign-in does not authorize access to them.
  if (profile.company !== undefined) throw companyScopeMissingError(profile.company, CONNECTION_SCOPES);
  const held = await store.get(['session', 'dpop_key']);
  const session = parseStoredSession(held.session, profile);
  if (session === undefined || held.dpop_key === undefined) throw loginRequiredError();
  const access = { fetch: options.fetch, clock, home: options.home };
  const configuration = await loginClientConfiguration(profile, access);
  const service = providerDialect(profile).connectedAccounts(configuration.serverMetadata());
  if (service === undefined) {
    throw new TradeAgentError('invalid_config', `${profile.issuer} does not support connected accounts`, {
      hint: 'Connect the account at the provider itself. docs/operate/providers/other.md says what a provider must support.',
    });
  }
  const prover = createDpopProver(parsePrivateJwk(held.dpop_key), clock);
  let token: AccessToken | undefined;
  return {
    finish: service.finish,
    accounts: createConnectedAccountsClient({
      endpoint: service.endpoint.replace(/\/$/, ''),
      fetch: options.fetch,
      authorize: async (method, url) => {
        if (!isUsableToken(token, clock)) {
          token = await refreshAccessToken(
            { profile, store, access, clock, sub: session.sub, audience: service.audience },
            CONNECTION_SCOPES,
          );
        }
        return tokenHeaders(token, prover, method, url);
      },
      answered: (url, response) => prover.rememberNonce(url, response),
    }),
  };
}

async function tokenHeaders(
  token: AccessToken,
  prover: DpopProver,
  method: string,
  url: URL,
): Promise<Record<string, string>> {
  if (token.type === 'bearer') return { authorization: `Bearer ${token.value}` };
  return {
    authorization: `DPoP ${token.value}`,
    dpop: await prover.proof({ method, url, accessToken: token.value }),
  };
}
