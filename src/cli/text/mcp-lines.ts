import type { McpServersState } from '../../app/mcp/servers.ts';
import { safeLine } from '../../text/sanitize.ts';

type ServerState = McpServersState['servers'][number];

export function mcpServersText({ unused, servers }: McpServersState): string {
  if (servers.length === 0) return 'No MCP servers. Add one with "trade-agent mcp servers add".';
  return [...servers.map(serverStateLine), ...(unused === undefined ? [] : [unusedReasons[unused]])].join('\n');
}

const unusedReasons: Readonly<Record<NonNullable<McpServersState['unused']>, string>> = {
  planner: 'The built-in planner does not use MCP servers; choose a model with /model.',
  'read-only': 'A read-only session does not use MCP servers.',
};

const stateWords: Readonly<Record<ServerState['state'], string>> = {
  off: 'off',
  idle: 'not connected yet',
  connected: 'connected',
  failed: 'failed',
};

function serverStateLine({ name, state, tools, message }: ServerState): string {
  const how = state === 'failed' && message !== undefined ? safeLine(message, 120) : stateWords[state];
  if (tools.length === 0) return `${name.padEnd(12)} ${how}; no tools allowed`;
  const named = tools.map((tool) => {
    const isOff = state === 'connected' && tool.state !== 'offered';
    return `${safeLine(tool.name, 40)}${isOff ? ' (off)' : ''}`;
  });
  return `${name.padEnd(12)} ${how}: ${named.join(', ')}`;
}
