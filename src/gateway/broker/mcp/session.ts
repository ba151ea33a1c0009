import type { CallToolResult, Client, Tool } from '@modelcontextprotocol/client';
import { computeToolPin } from '../../../net/tool-pin.ts';
import { FailedResponseError } from '../rest-client.ts';
import { type McpSessionOptions, toSdkTimeouts } from './answered-fetch.ts';
import { unwrapTransportError } from './failure.ts';

export interface McpSession {
  /** Sends one request. @throws {FailedResponseError | NoResponseError}, or an error of the SDK */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<CallToolResult>;
  /** Returns the tools by name, from a list that was read at most `longestAgoMs` milliseconds ago. */
  tools(longestAgoMs: number): Promise<PinnedTools>;
}

interface PinnedTool {
  readonly tool: Tool;
  /** SHA-256 (hex) of the tool's description; undefined if two tools have this name. */
  readonly pin: string | undefined;
}
export type PinnedTools = ReadonlyMap<string, PinnedTool>;

interface Opened {
  readonly client: Client;
  readonly tools: PinnedTools;
  readonly at: number;
}

/**
 * Creates a session that connects at the first call (protocol version 2026-07-28, or `initialize`), and reconnects if
 * the server ended the session. The client declares no sampling, roots, elicitation or tasks.
 */
export function createMcpSession(options: McpSessionOptions, token: string): McpSession {
  let opened: Promise<Opened> | undefined;
  const keep = (opening: Promise<Opened>): Promise<Opened> => {
    opened = opening;
    // If connecting fails, the next call tries again.
    opening.catch(() => forget(opening));
    return opening;
  };
  const forget = (one: Promise<Opened>) => {
    if (opened === one) opened = undefined;
  };
  const open = () => opened ?? keep(connect(options, token));
  return {
    async call(tool, args) {
      const session = open();
      const { client, tools } = await session;
      const described = tools.get(tool)?.tool;
      try {
        return await client.callTool(
          { name: tool, arguments: { ...args } },
          // With `toolDefinition`, the SDK neither fetches descriptions nor repeats the call.
          {
            ...toSdkTimeouts(options),
            toolDefinition: described ?? { name: tool, inputSchema: { type: 'object' } },
          },
        );
      } catch (error) {
        // A server that has ended the session responds with 400 or 404 (MCP 2025-11-25, "Session Management").
        const cause = unwrapTransportError(error);
        const isEnded = cause instanceof FailedResponseError && [400, 404].includes(cause.status);
        if (isEnded && client.getProtocolEra() === 'legacy') forget(session);
        throw error;
      }
    },
    async tools(longestAgoMs) {
      const { client, tools, at } = await open();
      if (options.now() - at <= longestAgoMs) return tools;
      return (await keep(listed(client, options))).tools;
    },
  };
}

async function connect(options: McpSessionOptions, token: string): Promise<Opened> {
  const { connectMcpClient } = await import('./connect-client.ts');
  return await listed(await connectMcpClient(options, token), options);
}

async function listed(client: Client, options: McpSessionOptions): Promise<Opened> {
  const at = options.now();
  const { tools: all } = await client.listTools(undefined, { ...toSdkTimeouts(options), cacheMode: 'refresh' });
  const tools = new Map<string, PinnedTool>();
  for (const tool of all) tools.set(tool.name, { tool, pin: tools.has(tool.name) ? undefined : computeToolPin(tool) });
  return { client, tools, at };
}
