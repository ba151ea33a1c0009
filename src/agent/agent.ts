import type { AgentEvent, ApprovalView, ThreadView } from './events.ts';

/** What a run does about an approval: wait for the person, leave it pending, or refuse it. */
export type ApprovalMode = 'wait' | 'detach' | 'deny';

export interface RunOptions {
  readonly approval: ApprovalMode;
  /** Ends the run; a pending approval stays pending. */
  readonly signal: AbortSignal;
  /** Model calls at most; 25 unless said otherwise. */
  readonly maxTurns?: number;
}

/** The agent as its drivers (chat, run, resume, approvals, check) see it. */
export interface Agent {
  /** Starts a thread, or goes on with `thread`. `context` is data (standard input), never instructions. */
  run(
    input: { prompt: string; thread?: string; context?: string },
    options: RunOptions,
  ): AsyncIterable<AgentEvent>;
  /** Goes on with a thread that stopped: waits for its approvals, reconciles, executes. */
  resume(thread: string, options: RunOptions): AsyncIterable<AgentEvent>;
  /** The user's threads, newest first. */
  threads(): Promise<ThreadView[]>;
  /** The user's approvals, newest first. */
  approvals(): Promise<ApprovalView[]>;
  approval(id: string): Promise<ApprovalView | undefined>;
  /**
   * Ends an approval that was not yet carried out.
   * @throws {TradeAgentError} `not_found`; `usage` for one that ended already; `outcome_unknown` for one under way
   */
  cancelApproval(id: string): Promise<ApprovalView>;
  close(): Promise<void>;
}
