import type { Session } from '../../auth/session/session.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ThreadProposal, ThreadProposalStore } from '../../store/thread-store.ts';
import type { Alerts } from '../../tools/alerts.ts';
import type { ForeignTools } from '../../tools/foreign-tools.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { OwnRules } from '../../tools/own-rules.ts';
import type { ApprovalMode, RunOptions } from '../agent.ts';
import type { AgentEvent } from '../events.ts';
import type { ChatModel } from '../model/chat-model.ts';

/** Dependencies that all runs of an agent share. */
export interface AgentEnvironment {
  readonly profile: ResolvedProfile;
  readonly session: Session | undefined;
  /**
   * Client for making and withdrawing proposals. It has no abort signal, because even an aborted run must learn which
   * proposals the gateway received.
   */
  readonly proposing: GatewayClient | undefined;
  readonly model: ChatModel;
  readonly foreign: ForeignTools | undefined;
  readonly alerts?: Alerts | undefined;
  readonly ownRules: OwnRules | undefined;
  readonly proposals: ThreadProposalStore;
  readonly clock: Clock;
  readonly readOnly: boolean;
  /** Whether calls only show what they would propose or change. */
  readonly dryRun: boolean;
}

export interface GraphEnvironment extends AgentEnvironment, Pick<RunOptions, 'connectBy' | 'signal'> {
  readonly thread: string;
  /** Client for reads, cancellations and waits. The run's signal aborts its requests. */
  readonly gateway: GatewayClient | undefined;
  readonly approvalMode: ApprovalMode;
  readonly suspends: boolean;
  readonly mandates?: RunOptions['mandates'] | undefined;
  readonly requestedBy: string;
  readonly ttl: number;
  readonly maxTurns: number;
  /** Requires that this run holds the thread's lease. @throws {TradeAgentError} `busy` if another run has taken over */
  readonly requireLease: () => Promise<void>;
  /** Start time of each call of this run in epoch milliseconds, by call ID. */
  readonly callStartTimes: Map<string, number>;
  readonly emit: (event: AgentEvent) => void;
  /** Stores the latest state of a proposal, and emits the proposal if it changed. */
  readonly saw: (seen: ThreadProposal) => Promise<void>;
  /** Registers work, such as sending a proposal, that must finish before the run ends. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}
