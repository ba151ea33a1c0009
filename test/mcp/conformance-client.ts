/*
 * Our MCP client as the protocol's conformance suite starts it: the connection's own code, a browser that follows where it
 * is sent, and credentials that last as long as the process. `node conformance-client.ts URL`.
 */
import { mcpServerSchema } from '../../src/config/mcp-servers.ts';
import { connectMcpServer } from '../../src/mcp/client/connection.ts';
import type { McpServerTool } from '../../src/mcp/client/tool-text.ts';
import type { McpCredentialStore } from '../../src/secrets/places/mcp-credentials.ts';

interface Context {
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
  readonly client_id?: string;
  readonly client_secret?: string;
}

const { MCP_CONFORMANCE_CONTEXT: text, MCP_CONFORMANCE_SCENARIO: scenario } = process.env;
const context = JSON.parse(text ?? '{}') as Context;
const values: Record<string, string> = {};
const credentials: McpCredentialStore = {
  read: async () => ({ ...values }),
  change: async (apply) => apply(values),
  exclusively: (work) => work(),
};
const { signal } = new AbortController();
const { client_id, client_secret } = context;
/** The document that the suite knows us by. */
const document = 'https://conformance-test.local/client-metadata.json';
const isRegistered = client_id !== undefined && client_secret !== undefined;

const server = await connectMcpServer(
  {
    name: 'conformance',
    server: mcpServerSchema.parse({ url: process.argv[2], ...(isRegistered ? {} : { client_id: document }) }),
    ...{ fetch, env: {}, version: '0.0.0', credentials },
    openBrowser: async (url) => {
      void fetch(url).catch(() => undefined);
    },
    // One scenario is about how a call goes on that asks something of the person.
    ...(scenario === 'sep-2322-client-request-state' ? { elicited: () => ({ action: 'accept' as const }) } : {}),
    ...(isRegistered ? { registration: { client_id, client_secret } } : {}),
  },
  signal,
);
const tools = await server.tools(signal);
const calls = context.toolCalls ?? tools.map((tool) => ({ name: tool.name, arguments: argumentsFor(tool) }));
for (const call of calls) {
  // A call that goes wrong costs a message, here as in a run.
  const said = await server
    .call(call.name, call.arguments, signal)
    .then(({ text }) => text)
    .catch(({ message }: Error) => message);
  console.log(scenario, call.name, said);
}
await server.close();

/** Something of each type that is required. */
function argumentsFor({ inputSchema }: McpServerTool): Record<string, unknown> {
  const { properties = {}, required = [] } = inputSchema as {
    properties?: Record<string, { type?: string }>;
    required?: readonly string[];
  };
  const values: Readonly<Record<string, unknown>> = { number: 2, integer: 2, boolean: true, string: 'two' };
  return Object.fromEntries(required.map((name) => [name, values[properties[name]?.type ?? 'string']]));
}
