import { expect, it } from 'vitest';
import { checkMcpServers } from '../../../../src/app/doctor/doctor.ts';
import { mcpServersSchema } from '../../../../src/config/mcp-servers.ts';

const check = (servers: object) => checkMcpServers({ mcp_servers: mcpServersSchema.parse(servers) });
const alpaca = { command: 'alpaca-mcp', tools: ['get_orders', 'place_stock_order'] };

it('names each tool that was allowed past the phone, and how to be rid of it', () => {
  expect(check({ alpaca: { ...alpaca, unsafe: ['place_stock_order'] }, news: { command: 'news' } })).toEqual([
    {
      check: 'mcp',
      status: 'warn',
      message:
        'MCP server alpaca: --unsafe allows these tools to run without approval on your phone: place_stock_order',
      fix: 'trade-agent mcp servers remove alpaca',
      details: { server: 'alpaca', unsafe: ['place_stock_order'] },
    },
  ]);
});

it('has nothing against servers without one', () => {
  expect(check({ alpaca })).toMatchObject([{ check: 'mcp', status: 'ok' }]);
  expect(check({ alpaca: { ...alpaca, unsafe: ['place_stock_order'], enabled: false } })).toMatchObject([
    { status: 'ok' },
  ]);
  expect(check({})).toEqual([]);
  expect(checkMcpServers({})).toEqual([]);
});
