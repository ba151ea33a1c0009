import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { Environment } from '../../trading/order.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { mcpServer } from '../server/mcp-server.ts';
import { createProposalKeys } from '../server/retries.ts';
import { HOLD_MS } from '../server/server-options.ts';
import { type McpEndpoint, mcpEndpoint } from './mcp-endpoint.ts';
import type { MountedCaller, ServeMcpOptions } from './mounted-caller.ts';

/** The endpoint behind a gateway's door. */
export function serveMcp({
  holdMs = HOLD_MS,
  environment,
  ...options
}: ServeMcpOptions): McpEndpoint<MountedCaller> {
  const server = { ...options, holdMs, keys: createProposalKeys(options.clock) };
  return mcpEndpoint((caller: MountedCaller, context) =>
    mcpServer(callerOf(caller, environment), context, server),
  );
}

function callerOf(caller: MountedCaller, environment: Environment): McpCaller {
  const { sub, clientId, scopes, username, email } = caller;
  return {
    sub,
    clientId,
    owns: ({ client }) => client === clientId,
    scopes,
    environment,
    signedIn: { user: { sub, name: username, email }, profile: { name: 'gateway', environment } },
    gateway: createGatewayClient({
      profile: { gateway: '' },
      fetch: (path, init) => caller.fetch(path, init),
    }),
  };
}
