import type { EntryPlace } from '../../../config/named-entries.ts';
import type { App } from '../../app.ts';

/** Where a server of the profile in use stands in `config.yaml`. */
export async function serverPlace(app: Pick<App, 'home' | 'profile'>, name: string): Promise<EntryPlace> {
  return { home: await app.home(), profile: (await app.profile()).name, section: 'mcp_servers', name };
}
