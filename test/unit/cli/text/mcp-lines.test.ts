import { expect, it } from 'vitest';
import { mcpServersText } from '../../../../src/cli/text/mcp-lines.ts';

const server = (changes: object) => ({
  ...{ name: 'news', state: 'idle' as const, message: undefined },
  tools: [{ name: 'search', state: 'unconfirmed' as const }],
  ...changes,
});

it('lists other people’s servers, and how each stands', () => {
  const servers = [
    server({}),
    server({
      name: 'wire',
      state: 'connected',
      tools: [
        { name: 'a', state: 'offered' },
        { name: 'b', state: 'changed' },
      ],
    }),
    server({ name: 'dead', state: 'failed', message: 'MCP server dead: it could not be reached' }),
    server({ name: 'files', state: 'off', tools: [] }),
  ];
  expect(mcpServersText({ unused: undefined, servers }).split('\n')).toEqual([
    'news         not connected yet: search',
    'wire         connected: a, b (off)',
    'dead         MCP server dead: it could not be reached: search',
    'files        off; no tools allowed',
  ]);
});

it('says why none is used', () => {
  expect(mcpServersText({ unused: 'read-only', servers: [server({})] })).toContain(
    'A read-only session does not use MCP servers.',
  );
  expect(mcpServersText({ unused: 'planner', servers: [server({})] })).toContain(
    'The built-in planner does not use MCP servers; choose a model with /model.',
  );
  expect(mcpServersText({ unused: 'planner', servers: [] })).toBe(
    'No MCP servers. Add one with "trade-agent mcp servers add".',
  );
});
