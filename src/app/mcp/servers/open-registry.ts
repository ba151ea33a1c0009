import { type ServerRegistry, serverRegistry } from '../../../mcp/client/server-registry.ts';
import type { App } from '../../app.ts';
import { serverAccess } from './server-access.ts';

/** The servers of the profile in use; none is connected yet. */
export async function openServerRegistry(app: App): Promise<ServerRegistry> {
  const { mcp_servers: servers = {} } = await app.profile();
  return serverRegistry({ ...(await serverAccess(app)), servers, clock: app.clock });
}
