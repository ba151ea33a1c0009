import type { ResolvedProfile } from '../../config/profile.ts';
import type { ProviderName } from '../../config/provider-names.ts';
import { DEFAULT_TTL_S } from '../../trading/proposal.ts';
import type { ServerSettings } from './server-settings.ts';

/** What threads at a server are of, in a profile's place. */
const SERVER_PROFILE = 'server';

/** A profile as the agent and the sessions take one, by what the server's settings say: its login client is the server's own. */
export function serverProfile(settings: ServerSettings, provider: ProviderName): ResolvedProfile {
  const { issuer, gateway, environment, client_id, model, max_slippage } = settings;
  return {
    name: SERVER_PROFILE,
    sandbox: false,
    ...{ provider, issuer, gateway, audience: gateway, environment, model, max_slippage },
    login_client: { client_id },
    // Nothing of a profile's own is kept: people's secrets are in the database.
    credential_store: 'file',
    approval_ttl: DEFAULT_TTL_S,
    phone: undefined,
  };
}
