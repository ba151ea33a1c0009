import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server';

/** Serves one request whose caller is known. */
export type McpEndpoint<Caller> = (request: Request, caller: Caller) => Promise<Response>;

/**
 * The protocol over HTTP, stateless, for clients of every revision that is served: 2026-07-28, 2025-11-25, 2025-06-18. It
 * looks at no token, Host, Origin or length: what stands in front has done so.
 * @param factory makes what serves a caller, anew for each request
 */
export function mcpEndpoint<Caller>(
  factory: (caller: Caller, context: Parameters<McpServerFactory>[0]) => ReturnType<McpServerFactory>,
): McpEndpoint<Caller> {
  const handler = createMcpHandler((context) => factory(context.authInfo?.extra?.caller as Caller, context));
  return (request, caller) =>
    handler.fetch(request, {
      // Not the token: it stays at the door.
      authInfo: { token: '', clientId: '', scopes: [], extra: { caller } },
    });
}
