import type { CallToolResult, Client, Tool } from '@modelcontextprotocol/client';
import { pinOf } from '../../../net/tool-pin.ts';
import { RestAnswer } from '../rest-client.ts';
import { type AnsweredFetchOptions, answeredFetch } from './answered-fetch.ts';

export interface SessionOptions extends Omit<AnsweredFetchOptions, 'token'> {
  readonly url: string;
  readonly now: () => number;
}

/** A broker's MCP server, as one token opens it. */
export interface McpSession {
  /** One request. @throws {RestAnswer | NoAnswer} and what the SDK throws, which proves nothing */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<CallToolResult>;
  /** What its tools say of themselves, by name, not longer ago than this. A name that two have is in it with none. */
  pins(longestAgoMs: number): Promise<ReadonlyMap<string, string | undefined>>;
}

interface Opened {
  readonly client: Client;
  readonly tools: ReadonlyMap<string, Tool>;
  readonly pins: ReadonlyMap<string, string | undefined>;
  readonly at: number;
}

/**
 * Connected at the first call, by 2026-07-28 where the server speaks that, else by its `initialize`; anew where the server knows
 * the session no more. Sampling, roots, elicitation and tasks are not declared, and what a server asks for all the same is not given.
 */
export function mcpSession(options: SessionOptions, token: string): McpSession {
  let opened: Promise<Opened> | undefined;
  const keep = (opening: Promise<Opened>): Promise<Opened> => {
    opened = opening;
    // What is not there is asked for again at the next call.
    opening.catch(() => forget(opening));
    return opening;
  };
  const forget = (one: Promise<Opened>) => {
    if (opened === one) opened = undefined;
  };
  const open = () => opened ?? keep(connect(options, token).then((client) => listed(client, options)));
  return {
    async call(tool, args) {
      const session = open();
      const { client, tools } = await session;
      const described = tools.get(tool);
      try {
        return await client.callTool(
          { name: tool, arguments: { ...args } },
          // Given, the SDK sends nothing again by another description.
          {
            ...patience(options),
            toolDefinition: described ?? { name: tool, inputSchema: { type: 'object' } },
          },
        );
      } catch (error) {
        // A session that a server from before 2026 has ended (MCP 2025-11-25, "Session Management").
        const isEnded = error instanceof RestAnswer && [400, 404].includes(error.status);
        if (isEnded && client.getProtocolEra() === 'legacy') forget(session);
        throw error;
      }
    },
    async pins(longestAgoMs) {
      const { client, pins, at } = await open();
      if (options.now() - at <= longestAgoMs) return pins;
      return (await keep(listed(client, options))).pins;
    },
  };
}

/** The request's own limit comes first. */
const patience = ({ timeoutMs }: SessionOptions) => ({
  timeout: 2 * timeoutMs,
  maxTotalTimeout: 2 * timeoutMs,
});

async function connect(options: SessionOptions, token: string): Promise<Client> {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client(
    { name: 'trade-agent-gateway', version: '1' },
    {
      capabilities: {},
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: 2 * options.timeoutMs, maxRetries: 0 } },
      inputRequired: { autoFulfill: false },
      // What is read of an answer is held to our own shapes; a stranger's schema is not made into code.
      jsonSchemaValidator: {
        getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
      },
    },
  );
  const transport = new StreamableHTTPClientTransport(new URL(options.url), {
    fetch: answeredFetch({ ...options, token }),
    reconnectionOptions: {
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 1_000,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 0,
    },
  });
  await client.connect(transport, patience(options));
  return client;
}

async function listed(client: Client, options: SessionOptions): Promise<Opened> {
  const at = options.now();
  const { tools } = await client.listTools(undefined, { ...patience(options), cacheMode: 'refresh' });
  const pins = new Map<string, string | undefined>();
  for (const tool of tools) pins.set(tool.name, pins.has(tool.name) ? undefined : pinOf(tool));
  return { client, tools: new Map(tools.map((tool) => [tool.name, tool])), pins, at };
}
