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

/** How a use case wants its agent. */
export interface AgentOptions {
  readonly readOnly?: boolean;
  /** `builtin` for the planner, else the name of a model. */
  readonly model?: string;
  readonly baseUrl?: string;
}

/**
 * What use cases work with. Each part is made at first use, so that a use case loads and starts no more than it needs.
 */
export interface App {
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** For addresses whose path may be a secret: the log has the host alone. */
  readonly discreetFetch: typeof fetch;
  readonly signal: AbortSignal;
  /** The words by which the profile was chosen, for advice on what to type next: `--profile work`; none for the usual one. */
  readonly chosenBy: readonly string[];
  /** The profile asked for by `--profile`, TRADE_AGENT_PROFILE or `--server`. */
  readonly profileName: string | undefined;
  tell(line: string): void;
  home(): Promise<Home>;
  config(): Promise<Config>;
  /** The sandbox, started if need be. @throws {TradeAgentError} `provider_unreachable` */
  sandbox(): Promise<SandboxReady>;
  profile(): Promise<ResolvedProfile>;
  store(): Promise<CredentialStore>;
  /** A store as a profile names it, with nothing read ahead. A passphrase is asked for once in a process. */
  openStore(place: Pick<ResolvedProfile, 'name'> & StorePlace): Promise<CredentialStore>;
  /** From now on sessions ask for read scopes alone; to be called before the first one is opened. */
  limitToReading(): void;
  /** Undefined where nobody is logged in. */
  session(): Promise<Session | undefined>;
  /** @throws {TradeAgentError} `login_required` */
  requireSession(): Promise<Session>;
  /** Whether all of the person's accounts were named (`--account all`). */
  readonly ofAll: boolean;
  /**
   * The number of the account that was named (`--account`); undefined where none was.
   * @throws {TradeAgentError} `usage` where the person has none that is called so, or where all were named: who asks here
   *   works in one; `login_required`
   */
  account(): Promise<string | undefined>;
  /** The gateway in the user's name, for what is of no account: the market, mandates. @throws {TradeAgentError} `login_required` */
  usersGateway(): Promise<GatewayClient>;
  /** All of the person's accounts, whichever was named. @throws {TradeAgentError} `login_required` */
  accounts(): Promise<AccountEntry[]>;
  /**
   * The same in one of their accounts, by its number, or in the default one: with an agent of its own, to be closed by itself.
   */
  inAccount(account: string | undefined): App;
  /** The gateway in the user's name, of the account that was named. @throws {TradeAgentError} `login_required` */
  gateway(): Promise<GatewayClient>;
  /** Other people's MCP servers, as the profile has them; undefined where it has none. Connects none by itself. */
  foreignTools(): Promise<ServerRegistry | undefined>;
  /** The agent; made once, with the options of the first call. */
  agent(options: AgentOptions): Promise<Agent>;
  /** Forgets session and agent, after a login or logout. */
  reset(): Promise<void>;
  close(): Promise<void>;
}
