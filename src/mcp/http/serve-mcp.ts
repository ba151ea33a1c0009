import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { Environment } from '../../trading/order.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { followProposals } from '../resources/subscriptions.ts';
import { createAccountQuestions } from '../server/account-questions.ts';
import { createMcpServer } from '../server/mcp-server.ts';
import { RESPONSE_HOLD_MS } from '../server/server-options.ts';
import { createMcpEndpoint, type McpEndpoint } from './mcp-endpoint.ts';
import type { MountedCaller, ServeMcpOptions } from './mounted-caller.ts';

export function serveMcp({
  holdMs = RESPONSE_HOLD_MS,
  environment,
  connectPath,
  ...options
}: ServeMcpOptions): McpEndpoint<MountedCaller> {
  const server = { ...options, holdMs, accounts: createAccountQuestions() };
  const callerOf = (caller: MountedCaller) => toMcpCaller(caller, environment, connectPath);
  return createMcpEndpoint(
    (caller: MountedCaller, context) => createMcpServer(callerOf(caller), context, server),
    (caller, uris, signal) => followProposals(callerOf(caller), uris, signal),
  );
}

function toMcpCaller(caller: MountedCaller, environment: Environment, connectPath: string | undefined): McpCaller {
  const { sub, clientId, scopes, username, email, resource } = caller;
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
    hasImports: false,
    async connectAddress(connection) {
      if (connectPath === undefined) return undefined;
      return `${new URL(connectPath, resource)}?${new URLSearchParams({ connection })}`;
    },
  };
}
