import { CANCEL_SCOPE, PROPOSE_MESSAGES_SCOPE, PROPOSE_ORDERS_SCOPE } from '../../oauth/scopes.ts';
import type { McpEndpoint } from './mcp-endpoint.ts';
import type { MountedCaller, ServeMcpOptions } from './mounted-caller.ts';

/** Maximum request size in bytes. An order takes about 600 bytes, and the client's metadata a few hundred. */
const MAX_BODY_BYTES = 64 * 1024;

/** Returns the handler with which a gateway serves `/mcp`. The first request loads the SDK. */
export function createMcpMount(options: ServeMcpOptions) {
  let endpoint: Promise<McpEndpoint<MountedCaller>> | undefined;
  return {
    path: '/mcp',
    name: 'trade-agent for other agents',
    scopes: {
      'market:read': ['market:read'],
      'portfolio:read': ['portfolio:read'],
      'orders:read': ['orders:read'],
      [CANCEL_SCOPE]: [CANCEL_SCOPE],
      // A client that may propose orders may also propose to send a summary, which needs the person's approval too.
      [PROPOSE_ORDERS_SCOPE]: [PROPOSE_ORDERS_SCOPE, PROPOSE_MESSAGES_SCOPE],
    },
    maxBodyBytes: MAX_BODY_BYTES,
    async serve(request: Request, caller: MountedCaller): Promise<Response> {
      endpoint ??= import('./serve-mcp.ts').then(({ serveMcp }) => serveMcp(options));
      return (await endpoint)(request, caller);
    },
  } as const;
}
