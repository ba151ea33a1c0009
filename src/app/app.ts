import type { Agent } from '../agent/agent.ts';
import type { Session } from '../auth/session/session.ts';
import type { Config, ResolvedProfile, StorePlace } from '../config/profile.ts';
import type { Clock } from '../machine/clock.ts';
import type { Home } from '../machine/directories.ts';
import type { ServerRegistry } from '../mcp/client/server-registry.ts';
import type { SandboxReady } from '../sandbox/ready-file.ts';
import type { CredentialStore } from '../secrets/credential-store.ts';
import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { AccountEntry } from '../trading/account-entry.ts';

export interface AgentOptions {
  readonly readOnly?: boolean;
  /** `builtin` for the planner, else the name of a model. */
  readonly model?: string;
  readonly baseUrl?: string;
}

/**
 * The dependencies of use cases. Each is created at first use, so that a use case loads and starts no more than it
 * needs.
 */
export interface App {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** For addresses whose path may be a secret: only the host is logged. */
  readonly discreetFetch: typeof fetch;
  readonly signal: AbortSignal;
  /** The options that chose the profile, for commands in hints: `--profile work`; none for the default. */
  readonly chosenBy: readonly string[];
  /** From `--profile`, TRADE_AGENT_PROFILE or `--server`. */
  readonly profileName: string | undefined;
  tell(line: string): void;
  home(): Promise<Home>;
  config(): Promise<Config>;
  /** Starts the sandbox if needed. @throws {TradeAgentError} `provider_unreachable` */
  sandbox(): Promise<SandboxReady>;
  profile(): Promise<ResolvedProfile>;
  store(): Promise<CredentialStore>;
  /** A profile's store, with nothing prefetched. Asks for a passphrase once per process. */
  openStore(place: Pick<ResolvedProfile, 'name'> & StorePlace): Promise<CredentialStore>;
  /** From now on sessions ask for read scopes only; to be called before the first one is opened. */
  limitToReading(): void;
  /** Undefined where nobody is signed in. */
  session(): Promise<Session | undefined>;
  /** @throws {TradeAgentError} `login_required` */
  requireSession(): Promise<Session>;
  /** `--account all`. */
  readonly ofAll: boolean;
  /**
   * The number of the account named by `--account`; undefined where none was.
   * @throws {TradeAgentError} `usage` for an unknown account or `all`; `login_required`
   */
  account(): Promise<string | undefined>;
  /** The gateway without an account: the market, mandates. @throws {TradeAgentError} `login_required` */
  usersGateway(): Promise<GatewayClient>;
  /** All of the person's accounts. @throws {TradeAgentError} `login_required` */
  accounts(): Promise<AccountEntry[]>;
  /**
   * The same app in one account (by number; the default one for undefined), with an agent of its own, which the
   * caller closes.
   */
  inAccount(account: string | undefined): App;
  /** The gateway in the chosen account. @throws {TradeAgentError} `login_required` */
  gateway(): Promise<GatewayClient>;
  /** The profile's MCP servers, not yet connected; undefined where it has none. */
  foreignTools(): Promise<ServerRegistry | undefined>;
  /** The agent, created once with the options of the first call. */
  agent(options: AgentOptions): Promise<Agent>;
  /** Drops session and agent, after a login or logout. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
