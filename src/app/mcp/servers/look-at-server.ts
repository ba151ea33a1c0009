import type { McpServerConfig } from '../../../config/mcp-servers.ts';
import { type ComparedTool, compareTools } from '../../../mcp/client/compared-tools.ts';
import type { App } from '../../app.ts';
import { serverAccess } from './server-access.ts';
import { serverNamed } from './server-named.ts';

/** A server that was asked what it has. */
export interface LookedAtServer {
  readonly name: string;
  /** The revision of the protocol that it speaks. */
  readonly protocol: string;
  /** What it calls itself. */
  readonly about: { readonly name: string; readonly version: string };
  readonly tools: readonly ComparedTool[];
}

/** Has a person open an address to sign in at. */
export type OpenBrowser = (url: string) => Promise<void>;

type ServerApp = Pick<App, 'discreetFetch' | 'env' | 'home' | 'profile' | 'store' | 'signal'>;

/**
 * Connects a server of the profile, and says what it has beside what is allowed of it.
 * @throws {TradeAgentError} `not_found`, `mcp_server_failed`, `login_denied`, `login_expired`, `credential_store_…`
 */
export async function lookAtServer(app: ServerApp, name: string, open: OpenBrowser): Promise<LookedAtServer> {
  return await lookAt(app, name, await serverNamed(app, name), open);
}

/** As {@link lookAtServer}, for one that need not be in the profile yet. */
export async function lookAt(
  app: ServerApp,
  name: string,
  server: McpServerConfig,
  openBrowser: OpenBrowser,
): Promise<LookedAtServer> {
  const { connectServer } = await import('../../../mcp/client/connection.ts');
  const { signal } = app;
  const connection = await connectServer({ ...(await serverAccess(app)), name, server, openBrowser }, signal);
  try {
    const { protocol, about } = connection;
    return { name, protocol, about, tools: compareTools(server, await connection.tools(signal)) };
  } finally {
    await connection.close();
  }
}
