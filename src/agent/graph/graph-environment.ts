import type { Session } from '../../auth/session/session.ts';
import type { ResolvedProfile } from '../../config/profile.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ThreadProposal, ThreadProposals } from '../../store/thread-store.ts';
import type { Alerts } from '../../tools/alerts.ts';
import type { ForeignTools } from '../../tools/foreign-tools.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { OwnRules } from '../../tools/own-rules.ts';
import type { ApprovalMode, RunOptions } from '../agent.ts';
import type { AgentEvent } from '../events.ts';
import type { ChatModel } from '../model/chat-model.ts';

/** What the graph's nodes work with, in one run. */
export interface GraphEnvironment {
  readonly thread: string;
  readonly profile: ResolvedProfile;
  readonly session: Session | undefined;
  /** For reading, cancelling and waiting; ends with the run's signal. */
  readonly gateway: GatewayClient | undefined;
  /** For proposing and withdrawing: no signal cuts an answer short that tells what there is now. */
  readonly proposing: GatewayClient | undefined;
  readonly model: ChatModel;
  /** Tools of other people's servers; absent where the profile has none, or no language model. */
  readonly foreign: ForeignTools | undefined;
  /** The person's alerts; absent where nobody keeps them. */
  readonly alerts?: Alerts | undefined;
  /** The person's rules file; absent where nobody reads it here. */
  readonly ownRules: OwnRules | undefined;
  readonly proposals: ThreadProposals;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly approvalMode: ApprovalMode;
  /** Ends where it would wait. */
  readonly suspends: boolean;
  /** As `RunOptions` has it. */
  readonly connectBy?: number | undefined;
  /** Which mandate an order may be placed under. */
  readonly mandates?: RunOptions['mandates'] | undefined;
  readonly readOnly: boolean;
  /** Who or what proposes, as the person is told. */
  readonly requestedBy: string;
  /** Seconds that a proposal may take. */
  readonly ttl: number;
  readonly maxTurns: number;
  /**
   * For what only the run may do which holds the thread.
   * @throws {TradeAgentError} `busy` where another run has taken it
   */
  readonly requireLease: () => Promise<void>;
  /** When each call of this run was begun, milliseconds since the epoch, by the call's id. */
  readonly callsStarted: Map<string, number>;
  readonly emit: (event: AgentEvent) => void;
  /** Keeps what was seen of a proposal, and tells of it where it is news. */
  readonly saw: (seen: ThreadProposal) => Promise<void>;
  /** Work that must end before the run does, whatever else fails: a proposal on its way. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}
