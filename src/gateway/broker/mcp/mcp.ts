import { TradeAgentError } from '../../../errors/errors.ts';
import type { BrokerKind } from '../broker-kind.ts';
import { connectMcp } from './mcp-broker.ts';
import { type McpSettings, mappingOf, mcpSettings } from './settings.ts';
import { mcpTraits } from './traits.ts';
import { lookAtTools, verifyMcpToken } from './verify-account.ts';

export const mcp = {
  traits: { of: (settings: McpSettings) => mcpTraits(mappingOf(settings)) },
  settings: mcpSettings,
  address: 'url',
  connect(settings, context) {
    // Only the settings say which money it is.
    if (settings.environment === context.environment) return connectMcp(settings, context);
    throw new TradeAgentError(
      'invalid_config',
      `the broker’s MCP server trades ${settings.environment}, and this gateway is ${context.environment}`,
      { hint: 'Correct "environment" of the gateway, or of the broker, in gateway.yaml.' },
    );
  },
  kept: { kinds: ['access_token'], verify: verifyMcpToken, tools: lookAtTools },
} satisfies BrokerKind<McpSettings>;
