import type { CompanySignIn, ResolvedProfile } from '../../config/profile.ts';
import { isTradeAgentError } from '../../errors/errors.ts';
import { systemClock } from '../../machine/clock.ts';
import { ID_TOKEN_TYPE } from '../../oauth/oauth-names.ts';
import { MCP_SCOPES } from '../../oauth/scopes.ts';
import type { CredentialStore } from '../../secrets/credential-store.ts';
import { beginDeviceLogin, type DeviceLogin, type DeviceLoginOptions } from '../session/device-login.ts';
import { ensureCompanyKey } from './client-key.ts';
import { unknownCompanyClientError } from './company-failure.ts';
import { signInToHome } from './identity-assertion.ts';
import { signInProfile } from './sign-in-profile.ts';

/**
 * Starts a sign-in at the person's company. The sign-in succeeds only if the home also accepts the company's assertion:
 * the home decides which user signs in, and with what access.
 * @throws {TradeAgentError} `provider_unreachable`, `provider_error`, `invalid_config`, `credential_store_…`. The
 * returned `complete` throws the errors listed at {@link beginDeviceLogin}, and `insufficient_scope` if the company or
 * the home denies access
 */
export async function beginCompanyLogin(
  profile: ResolvedProfile & { readonly company: CompanySignIn },
  store: CredentialStore,
  options: Omit<DeviceLoginOptions, 'scopes' | 'audience' | 'privateKey' | 'settle'> = {},
): Promise<DeviceLogin> {
  const { company } = profile;
  const key = await ensureCompanyKey(store);
  const { fetch, clock, home } = options;
  const started = await beginDeviceLogin(signInProfile(profile), store, {
    ...options,
    // The company only identifies the person. The home grants the scopes.
    scopes: [],
    audience: {},
    privateKey: key,
    settle: async ({ idToken, claims, dpopKey }) => {
      const machine = {
        profile,
        company,
        key,
        dpopKey,
        access: { fetch, clock, home },
        clock: clock ?? systemClock,
      };
      const { token, clientId } = await signInToHome(machine, { type: ID_TOKEN_TYPE, token: idToken }, MCP_SCOPES);
      const at = { sub: claims.sub, client_there: clientId };
      return { sub: token.sub, scopes: token.scopes, company: at };
    },
  }).catch((error: unknown) => {
    const isUnknown = isTradeAgentError(error) && error.details?.error === 'invalid_client';
    throw isUnknown ? unknownCompanyClientError(company) : error;
  });
  return { ...started, scopes: [...MCP_SCOPES] };
}
