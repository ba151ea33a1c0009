import type { ServerAccess } from '../../../mcp/client/server-access.ts';
import { mcpCredentials } from '../../../secrets/places/mcp-credentials.ts';
import type { App } from '../../app.ts';
import { version } from '../../version.ts';

/** What any server of the profile in use is spoken to with. */
export async function serverAccess(
  app: Pick<App, 'discreetFetch' | 'env' | 'home' | 'profile' | 'store'>,
): Promise<Pick<ServerAccess, 'fetch' | 'env' | 'version' | 'credentials'>> {
  const [home, profile, store] = await Promise.all([app.home(), app.profile(), app.store()]);
  return {
    // An address may be as good as a password.
    fetch: app.discreetFetch,
    env: app.env,
    version: version(),
    credentials: mcpCredentials(store, home.config, profile.name),
  };
}
