import type { McpServerConfig } from '../../config/mcp-servers.ts';
import type { McpCredentialStore } from '../../secrets/places/mcp-credentials.ts';

export interface McpServerLimits {
  /** Milliseconds for a child process to report its protocol revision. After that, it counts as a legacy server. */
  readonly probeMs: number;
  readonly connectMs: number;
  /** Time limit for all pages of the tool list together, in milliseconds. */
  readonly listMs: number;
  readonly callMs: number;
}

export interface McpServerAccess {
  readonly name: string;
  readonly server: McpServerConfig;
  readonly fetch: typeof fetch;
  readonly env: NodeJS.ProcessEnv;
  readonly version: string;
  readonly credentials: McpCredentialStore;
  /** Opens a URL for signing in. Absent if there is nobody to sign in. */
  readonly openBrowser?: ((url: string) => Promise<void>) | undefined;
  readonly limits?: Partial<McpServerLimits> | undefined;
  /** @internal Answers elicitations in the conformance suite. trade-agent itself never does. */
  readonly elicited?: (() => { readonly action: 'accept' | 'decline' }) | undefined;
  /** @internal Overrides the profile's registration. */
  readonly registration?: { readonly client_id: string; readonly client_secret?: string } | undefined;
}
