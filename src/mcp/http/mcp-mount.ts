import { CANCEL_SCOPE, PROPOSE_MESSAGES, PROPOSE_ORDERS } from '../../oauth/scopes.ts';
import type { McpEndpoint } from './mcp-endpoint.ts';
import type { MountedCaller, ServeMcpOptions } from './mounted-caller.ts';

/** Bytes: an order is some 600, what a client says of itself in each request a few hundred more. */
const LARGEST_BODY = 64 * 1024;

/** `/mcp`, for a gateway to stand in front of. The SDK is loaded with the first request. */
export function mcpMount(options: ServeMcpOptions) {
  let endpoint: Promise<McpEndpoint<MountedCaller>> | undefined;
  return {
    path: '/mcp',
    name: 'trade-agent for other agents',
    scopes: {
      'market:read': ['market:read'],
      'portfolio:read': ['portfolio:read'],
      'orders:read': ['orders:read'],
      [CANCEL_SCOPE]: [CANCEL_SCOPE],
      // A summary that is sent is one more question to the person.
      [PROPOSE_ORDERS]: [PROPOSE_ORDERS, PROPOSE_MESSAGES],
    },
    largestBody: LARGEST_BODY,
    async serve(request: Request, caller: MountedCaller): Promise<Response> {
      endpoint ??= import('./serve-mcp.ts').then(({ serveMcp }) => serveMcp(options));
      return (await endpoint)(request, caller);
    },
  } as const;
}
