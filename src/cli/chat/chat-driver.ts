import type { AgentEvent, ApprovalView, ThreadView } from '../../agent/events.ts';
import type { ThemeName } from '../../config/theme-name.ts';
import type { TradingState } from '../../trading/policy-views.ts';
import type { Order } from '../../trading/views.ts';

export interface ChatStatus {
  /** False until identity provider and gateway first answer or fail to. */
  readonly connected: boolean;
  readonly profile: string;
  /** `PAPER` or `LIVE`. */
  readonly environment: string;
  readonly simulated: boolean;
  /** Why nothing can be proposed here (`REDUCING`: no purchase); undefined where everything can. */
  readonly withheld: 'HALTED' | 'REDUCING' | 'read-only' | undefined;
  readonly model: string;
  readonly user: string | undefined;
  /** `$100,123.45`; undefined where unknown. */
  readonly value: string | undefined;
  readonly phone: string | undefined;
}

/** A device login waiting for the person. */
export interface ChatLogin {
  readonly userCode: string;
  readonly address: string;
  /** A QR code of the address; empty where it can't be shown. */
  readonly qr: readonly string[];
  readonly warning: string;
  /** This machine's name, as on the consent page. */
  readonly machine: string;
  readonly asks: readonly string[];
  /** The command that replaces the phone in the sandbox. */
  readonly sandboxCommand: string | undefined;
  readonly expiresAt: number;
  /** Resolves with the user's name. */
  complete(signal: AbortSignal): Promise<string>;
}

/** All that the chat can do; the screen knows nothing of sessions, gateways and agents. */
export interface ChatDriver {
  run(prompt: string, thread: string | undefined, signal: AbortSignal): AsyncIterable<AgentEvent>;
  resume(thread: string, signal: AbortSignal): AsyncIterable<AgentEvent>;
  status(): Promise<ChatStatus>;
  login(): Promise<ChatLogin>;
  portfolio(): Promise<string>;
  ordersReport(): Promise<string>;
  /** @throws {TradeAgentError} `usage`, `unknown_symbol` */
  chart(
    symbol: string,
    range: string | undefined,
    look?: { readonly candles?: boolean; readonly volume?: boolean },
  ): Promise<string>;
  mcpServers(): Promise<string>;
  orders(): Promise<readonly Order[]>;
  approvals(): Promise<readonly ApprovalView[]>;
  /** @throws {TradeAgentError} `not_found`, `usage`, `outcome_unknown` */
  cancelApproval(id: string): Promise<ApprovalView>;
  threads(): Promise<readonly ThreadView[]>;
  profiles(): Promise<
    readonly { readonly name: string; readonly environment: string; readonly current: boolean }[]
  >;
  /** @throws {TradeAgentError} `invalid_config` for an incomplete profile */
  checkProfile(name: string): Promise<void>;
  /** Switches the session's model; nothing may be running. */
  chooseModel(name: string): Promise<void>;
  chooseTheme(name: ThemeName): void;
  /** Calls `changed` on each change of a proposal, including fills, until `signal` aborts. */
  events(signal: AbortSignal, changed: () => void): Promise<void>;
  /** Stops all trading at the gateway, and withdraws what waits for the phone. */
  halt(): Promise<void>;
  /** Asks the phone to lift the halt and waits for the outcome. @throws {TradeAgentError} if it was not approved */
  liftHalt(asked: (approval: ApprovalView) => void, signal: AbortSignal): Promise<TradingState>;
}
