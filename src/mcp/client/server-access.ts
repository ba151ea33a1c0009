import type { McpServerConfig } from '../../config/mcp-servers.ts';
import type { McpCredentials } from '../../secrets/places/mcp-credentials.ts';

/** How long a server may take, milliseconds. */
export interface ServerLimits {
  /** Of a child process, to say which revision it speaks: one that is silent is taken for an old one. */
  readonly probeMs: number;
  readonly connectMs: number;
  /** For all pages together. */
  readonly listMs: number;
  readonly callMs: number;
}

export interface ServerAccess {
  readonly name: string;
  readonly server: McpServerConfig;
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  /** Ours, as the server is told it. */
  readonly version: string;
  readonly credentials: McpCredentials;
  /** Has a person open an address; absent where nobody can be asked. */
  readonly openBrowser?: ((url: string) => Promise<void>) | undefined;
  readonly limits?: Partial<ServerLimits> | undefined;
  /** @internal For the conformance suite: answers what a server asks of the person, which trade-agent never does. */
  readonly elicited?: (() => { readonly action: 'accept' | 'decline' }) | undefined;
  /** @internal In place of what the profile says of our registration. */
  readonly registration?: { readonly client_id: string; readonly client_secret?: string } | undefined;
}
