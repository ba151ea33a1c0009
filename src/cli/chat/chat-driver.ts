import type { AgentEvent, ApprovalView, ThreadView } from '../../agent/events.ts';
import type { ThemeName } from '../../config/theme-name.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { Order } from '../../trading/views.ts';

/** What the header and the status line say. */
export interface ChatStatus {
  /** False until the first answer from the identity provider and the gateway, or the lack of one. */
  readonly connected: boolean;
  readonly profile: string;
  /** `PAPER` or `LIVE`, always as a word. */
  readonly environment: string;
  readonly simulated: boolean;
  /** Why nothing is proposed here, or no purchase (`REDUCING`); undefined where all is. */
  readonly withheld: 'HALTED' | 'REDUCING' | 'read-only' | undefined;
  readonly model: string;
  /** Undefined before login. */
  readonly user: string | undefined;
  /** Account value for people, `$100,123.45`; undefined where it isn't known. */
  readonly value: string | undefined;
  readonly phone: string | undefined;
}

/** A device login that waits for the person. */
export interface ChatLogin {
  readonly userCode: string;
  readonly address: string;
  /** Rows of a QR code of the address; none where it can't be shown. */
  readonly qr: readonly string[];
  readonly warning: string;
  /** This machine, as the consent page shows it. */
  readonly machine: string;
  readonly asks: readonly string[];
  /** The command that stands in for the phone; undefined outside the sandbox. */
  readonly sandboxCommand: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Resolves with the name of who signed in. */
  complete(signal: AbortSignal): Promise<string>;
}

/** All that the chat can do; the screen knows nothing of sessions, gateways and agents. */
export interface ChatDriver {
  run(prompt: string, thread: string | undefined, signal: AbortSignal): AsyncIterable<AgentEvent>;
  resume(thread: string, signal: AbortSignal): AsyncIterable<AgentEvent>;
  status(): Promise<ChatStatus>;
  login(): Promise<ChatLogin>;
  /** Reports, as text that fits the terminal. */
  portfolio(): Promise<string>;
  ordersReport(): Promise<string>;
  /** @throws {TradeAgentError} `usage`, `unknown_symbol` */
  chart(
    symbol: string,
    range: string | undefined,
    look?: { readonly candles?: boolean; readonly volume?: boolean },
  ): Promise<string>;
  /** Other people's MCP servers, and how each stands. */
  mcpServers(): Promise<string>;
  orders(): Promise<readonly Order[]>;
  approvals(): Promise<readonly ApprovalView[]>;
  /** @throws {TradeAgentError} `not_found`, `usage`, `outcome_unknown` */
  cancelApproval(id: string): Promise<ApprovalView>;
  threads(): Promise<readonly ThreadView[]>;
  profiles(): Promise<
    readonly { readonly name: string; readonly environment: string; readonly current: boolean }[]
  >;
  /** @throws {TradeAgentError} `invalid_config` where the profile lacks something */
  checkProfile(name: string): Promise<void>;
  /** Another model for this session; nothing may be running. */
  chooseModel(name: string): Promise<void>;
  /** Colours of reports from now on. */
  chooseTheme(name: ThemeName): void;
  /** Tells each change of a proposal, fills among them, until `signal` aborts. */
  events(signal: AbortSignal, changed: () => void): Promise<void>;
  /** Stops all trading at the gateway, and withdraws what waits for the phone. */
  halt(): Promise<void>;
  /** Asks the phone to let trading go on, and waits for how far it goes then. @throws {TradeAgentError} what stands for a no */
  liftHalt(asked: (approval: ApprovalView) => void, signal: AbortSignal): Promise<TradingState>;
}
