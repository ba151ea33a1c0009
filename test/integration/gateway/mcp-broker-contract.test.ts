import { describe } from 'vitest';
import { alpacaPreset } from '../../../src/gateway/broker/mcp/alpaca-preset.ts';
import { mcpBrokerKind } from '../../../src/gateway/broker/mcp/mcp.ts';
import { brokerContract } from '../../contract/broker/broker-contract.ts';
import { TUESDAY_NOON } from '../sandbox/paper-broker-world.ts';
import { MCP_TOKEN, startAlpacaMcp } from './support/alpaca-mcp-server.ts';
import { withoutOurId } from './support/mcp-mappings.ts';

const now = () => TUESDAY_NOON;

/** Alpaca's own MCP server, on the official SDK, over the sandbox's paper broker. */
describe.each([
  ['by the mapping that is shipped', { preset: 'alpaca' }],
  ['by tools that know no id of ours', { mapping: withoutOurId(alpacaPreset) }],
])('%s', (_, mapped) => {
  const base = { kind: 'mcp', url: 'http://127.0.0.1:1/mcp', environment: 'paper', ...mapped };
  brokerContract(mcpBrokerKind.traits.of(mcpBrokerKind.settings.parse(base)), async () => {
    const server = await startAlpacaMcp();
    const tools = Object.keys(server.pins);
    return {
      settings: { ...base, url: server.url, pins: server.pins, simulated: true },
      credentials: { accessToken: MCP_TOKEN },
      symbol: 'AAPL',
      unknownSymbol: 'NOSUCH',
      now,
      isWrite: ({ headers }) => tools.includes(headers.get('mcp-name') ?? ''),
      close: () => server.close(),
    };
  });
});
