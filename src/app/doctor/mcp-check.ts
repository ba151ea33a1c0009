import type { ResolvedProfile } from '../../config/profile.ts';
import { safeLine } from '../../net/shown-text.ts';
import { type Finding, ok, warn } from './finding.ts';

/** Whether a language model was given tools that could act past the phone. Asks no server anything. */
export function checkMcpServers({
  mcp_servers: servers = {},
}: Pick<ResolvedProfile, 'mcp_servers'>): Finding[] {
  const names = Object.keys(servers);
  if (names.length === 0) return [];
  const found = Object.entries(servers).flatMap(([name, { enabled, tools, unsafe }]) => {
    const allowed = unsafe.filter((tool) => tools.includes(tool));
    if (!enabled || allowed.length === 0) return [];
    return warn(
      'mcp',
      `MCP server ${name}: allowed by --unsafe, and called without your phone: ${allowed.map((tool) => safeLine(tool)).join(', ')}`,
      `trade-agent mcp servers remove ${name}`,
      { details: { server: name, unsafe: allowed } },
    );
  });
  return found.length > 0 ? found : [ok('mcp', `MCP servers: ${names.join(', ')}`)];
}
