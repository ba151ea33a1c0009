import type { Agent } from '../agent/agent.ts';
import type { Session } from '../auth/session/session.ts';
import type { Config, CredentialLocation, Profile, ResolvedProfile } from '../config/profile.ts';
import type { Clock } from '../machine/clock.ts';
import type { UserDirs } from '../machine/directories.ts';
import type { McpServerRegistry } from '../mcp/client/server-registry.ts';
import type { SandboxReadyInfo } from '../sandbox/ready-file.ts';
import type { CredentialStore } from '../secrets/credential-store.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { AccountEntry } from '../trading/account-entry.ts';

export interface AgentOptions {
  readonly readOnly?: boolean;
  /** Whether runs only show what they would propose or change. If true, nothing is stored. */
  readonly dryRun?: boolean;
  /** `builtin` for the built-in planner; otherwise a model name. */
  readonly model?: string;
  readonly baseUrl?: string;
}

/** Dependencies of the use cases, each created on first use, so that a use case loads only what it needs. */
export interface App {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** A `fetch` for URLs whose path may contain a secret. It logs only the host. */
  readonly redactedFetch: typeof fetch;
  readonly signal: AbortSignal;
  /** The options that selected the profile, such as `--profile work`, for hints. Empty for the default profile. */
  readonly profileOptions: readonly string[];
  /** From `--profile`, TRADE_AGENT_PROFILE or `--server`. */
  readonly profileName: string | undefined;
  tell(line: string): void;
  home(): Promise<UserDirs>;
  config(): Promise<Config>;
  /** Starts the sandbox if needed. @throws {TradeAgentError} `provider_unreachable` */
  sandbox(): Promise<SandboxReadyInfo>;
  profile(): Promise<ResolvedProfile>;
  /** Returns the profile as written in the file, without starting a sandbox or asking a server for its addresses. */
  writtenProfile(): Promise<Profile & { readonly name: string }>;
  store(): Promise<CredentialStore>;
  /** Opens a profile's credential store without reading it. Asks for its passphrase at most once per process. */
  openStore(place: Pick<ResolvedProfile, 'name'> & CredentialLocation): Promise<CredentialStore>;
  /** Makes sessions request only read scopes. Must be called before the first session is opened. */
  limitToReading(): void;
  /** Opens the session. Resolves with undefined if nobody is signed in. */
  session(): Promise<Session | undefined>;
  /** Opens the session. @throws {TradeAgentError} `login_required` */
  requireSession(): Promise<Session>;
  /** Whether `--account all` was passed. */
  readonly isAllAccounts: boolean;
  /**
   * Returns the number of the account selected by `--account`, or undefined if the option is absent.
   * @throws {TradeAgentError} `usage` for an unknown account or `all`; `login_required`
   */
  account(): Promise<string | undefined>;
  /**
   * Returns a gateway client for requests that are not about one account. @throws {TradeAgentError} `login_required`
   */
  usersGateway(): Promise<GatewayClient>;
  /** Returns all of the person's accounts. @throws {TradeAgentError} `login_required` */
  accounts(): Promise<AccountEntry[]>;
  /** Returns the app for one account (undefined means the default account). The caller must close its agent. */
  inAccount(account: string | undefined): App;
  /** Returns a gateway client for the selected account. @throws {TradeAgentError} `login_required` */
  gateway(): Promise<GatewayClient>;
  /** Returns the profile's MCP servers, not yet connected, or undefined if the profile has none. */
  foreignTools(): Promise<McpServerRegistry | undefined>;
  /** Returns the agent. Only the first call's options have an effect, because that call creates the agent. */
  agent(options: AgentOptions): Promise<Agent>;
  /** Discards the session and the agent, after a login or logout. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
