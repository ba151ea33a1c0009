import { removeEntry } from '../../../config/named-entries.ts';
import type { App } from '../../app.ts';
import { serverAccess } from './server-access.ts';
import { serverNamed } from './server-named.ts';
import { serverPlace } from './server-place.ts';

/** Takes a server out of the profile, and forgets the tokens that were for it. @throws {TradeAgentError} `not_found` */
export async function removeServer(app: App, name: string): Promise<void> {
  const { url } = await serverNamed(app, name);
  if (url !== undefined) {
    const { KeptAuthorization } = await import('../../../mcp/client/kept-authorization.ts');
    const { credentials } = await serverAccess(app);
    // Nobody who never signed in anywhere gets a file for it.
    if (Object.keys(await credentials.read()).length > 0)
      await new KeptAuthorization(credentials, url).forget();
  }
  await removeEntry(await serverPlace(app, name));
}
