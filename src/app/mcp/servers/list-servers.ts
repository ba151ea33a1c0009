import type { McpServerConfig } from '../../../config/mcp-servers.ts';
import type { App } from '../../app.ts';

/** A server as the profile has it; nothing was asked of it. */
export interface ListedServer {
  readonly name: string;
  /** The program with its arguments, or the address without what may be secret in it. */
  readonly at: string;
  readonly transport: 'stdio' | 'http';
  readonly enabled: boolean;
  /** Those that are allowed; one that is not pinned is off until it is confirmed. */
  readonly tools: readonly { readonly name: string; readonly pinned: boolean }[];
}

export async function listServers(app: Pick<App, 'profile'>): Promise<readonly ListedServer[]> {
  const { mcp_servers: servers = {} } = await app.profile();
  return Object.entries(servers).map(([name, server]) => listedServer(name, server));
}

export function listedServer(name: string, server: McpServerConfig): ListedServer {
  const { command = '', args = [], url, enabled, tools, pins } = server;
  return {
    name,
    at: url === undefined ? [command, ...args].join(' ') : withoutQuery(url),
    transport: url === undefined ? 'stdio' : 'http',
    enabled,
    tools: tools.map((tool) => ({ name: tool, pinned: Object.hasOwn(pins, tool) })),
  };
}

function withoutQuery(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
