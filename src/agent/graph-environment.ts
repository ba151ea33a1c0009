import type { ApprovalClient } from '../auth/ciba.ts';
import type { ResolvedProfile } from '../auth/profile.ts';
import type { Session } from '../auth/session.ts';
import type { GatewayClient } from '../tools/gateway-client.ts';
import type { Clock } from '../trading/clock.ts';
import type { ApprovalMode } from './agent.ts';
import type { Approval, ApprovalStore } from './approval-store.ts';
import type { AuditLog } from './audit-log.ts';
import type { ChatModel } from './chat-model.ts';
import type { AgentEvent } from './events.ts';
import type { Turnstile } from './turnstile.ts';

/** What the graph's nodes work with, in one run. */
export interface GraphEnvironment<A extends Approval = Approval> {
  readonly thread: string;
  readonly profile: ResolvedProfile;
  readonly session: Session | undefined;
  /** For reading and cancelling; ends with the run's signal. */
  readonly gateway: GatewayClient | undefined;
  /** For orders and what must be asked about them: no signal cuts it short, only its time-outs. */
  readonly orderGateway: GatewayClient | undefined;
  readonly model: ChatModel;
  readonly approvals: ApprovalStore<A>;
  readonly approvalClient: () => Promise<ApprovalClient>;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly approvalMode: ApprovalMode;
  readonly readOnly: boolean;
  /** While true, no order is proposed or sent; asked anew for each. */
  readonly halted: () => boolean;
  readonly maxTurns: number;
  /**
   * For a transaction that only the run may make which holds the thread.
   * @throws {TradeAgentError} `busy` where another run has taken it
   */
  readonly requireLease: () => void;
  /** Names this run in leases. */
  readonly holder: string;
  /** When each call of this run was begun, milliseconds since the epoch, by the call's id. */
  readonly callsStarted: Map<string, number>;
  readonly emit: (event: AgentEvent) => void;
  /**
   * Tells of a change of an approval, once its line is on the audit file.
   * @throws where the audit file can't be written
   */
  readonly changed: (approval: Approval) => void;
  /** Orders go out a few at a time, for all runs of the agent together. */
  readonly inTurn: Turnstile;
  /** Work that must end before the run does, whatever else fails: an order on its way. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}
