import type { McpServerConfig } from '../../../config/mcp-servers.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { closestMatch } from '../../../text/closest-match.ts';
import type { App } from '../../app.ts';

/** A server of the profile in use. @throws {TradeAgentError} `not_found` */
export async function serverNamed(app: Pick<App, 'profile'>, name: string): Promise<McpServerConfig> {
  const { mcp_servers: servers = {} } = await app.profile();
  const found = Object.hasOwn(servers, name) ? servers[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(servers);
  const nearest = closestMatch(name, names);
  throw new TradeAgentError('not_found', `there is no MCP server "${name}" in this profile`, {
    hint:
      nearest === undefined
        ? `${names.length === 0 ? 'There is none' : `There are ${names.join(', ')}`}; "trade-agent mcp servers add" adds one.`
        : `Did you mean "${nearest}"?`,
  });
}
