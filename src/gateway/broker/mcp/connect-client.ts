import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createMcpFetch, type McpSessionOptions, toSdkTimeouts } from './answered-fetch.ts';

/** Connects the SDK's client. This function is in a separate module, so that only the first call loads the SDK. */
export async function connectMcpClient(options: McpSessionOptions, token: string): Promise<Client> {
  const client = new Client(
    { name: 'trade-agent-gateway', version: '1' },
    {
      capabilities: {},
      versionNegotiation: { mode: 'auto', probe: { timeoutMs: 2 * options.timeoutMs, maxRetries: 0 } },
      inputRequired: { autoFulfill: false },
      // Servers' schemas are not compiled, because our own schemas parse the responses.
      jsonSchemaValidator: {
        getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }),
      },
    },
  );
  const transport = new StreamableHTTPClientTransport(new URL(options.url), {
    fetch: createMcpFetch({ ...options, token }),
    reconnectionOptions: {
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 1_000,
      reconnectionDelayGrowFactor: 1,
      maxRetries: 0,
    },
  });
  await client.connect(transport, toSdkTimeouts(options));
  return client;
}
