import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { answeredFetch } from './answered-fetch.ts';
import { patience, type SessionOptions } from './session-options.ts';

/** Connects a server; what the SDK has beside is left out of the bundle. */
export async function connectClient(options: SessionOptions, token: string): Promise<Client> {
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
