import type { ErrorCode } from '../errors/errors.ts';
import type { ProblemMembers } from '../errors/problem-members.ts';
import type { Came } from '../trading/kinds/kind-words.ts';
import type { ProposalKind, SubjectOf } from '../trading/kinds/kinds.ts';
import type { SentMessage } from '../trading/message.ts';
import type { Environment } from '../trading/order.ts';
import type { ProposalState, WorstCase } from '../trading/proposal.ts';
import type { Order } from '../trading/views.ts';

/** What an approval goes through is what its proposal does. */
export type ApprovalStatus = ProposalState;

/** What all approvals show. */
interface ApprovalViewBase extends Came {
  readonly id: string;
  /** Empty where it was proposed by another client, or on another machine. */
  readonly thread: string;
  readonly status: ApprovalStatus;
  /** The four characters that must be the same on the phone. */
  readonly code: string;
  readonly expires_at: string;
  /** Where the gateway could not be asked: its time ran out meanwhile. */
  readonly overdue?: boolean;
  /** The gateway could not be asked: this is how it was last seen. */
  readonly stale?: boolean;
  /** Whose money it moves; absent where none moves. */
  readonly environment?: Environment;
  /** Which account it is about and at which broker, `PA3ALICE01 at Alpaca`; absent where a person can have but one. */
  readonly account_at?: string;
  /** The fields that stand in no words of the person's: what a model chose. Absent where there are none. */
  readonly chosen_by_ai?: readonly string[];
  /** By which mandate it is approved; absent where its owner is asked. */
  readonly mandate_id?: string;
  /** Why it ended as it did, where there is something to say. */
  readonly reason: string | undefined;
  /** The worst that can come of it; null where nothing bounds it, or it is not known. */
  readonly worst_case: WorstCase | null;
  readonly warnings: readonly string[];
  /** Who or what asked, in the proposer's own words. */
  readonly requested_by: string | null;
  /** The OAuth client that proposed it. */
  readonly client: string;
}

/** An approval as people and scripts may see it: what it is for stands under its kind's name. */
export type ApprovalView = { [K in ProposalKind]: ApprovalViewOf<K> }[ProposalKind];
export type ApprovalViewOf<K extends ProposalKind> = ApprovalViewBase & {
  readonly kind: K;
} & { readonly [Name in K]: SubjectOf<Name> };

/** An account elsewhere that a run needs. */
export interface ConnectionView {
  /** As `trade-agent connections` names it. */
  readonly name: string;
  /** `missing`: nobody connected it in time, and the run goes on without. */
  readonly status: 'needed' | 'connected' | 'missing';
  /** The shell command that connects it. */
  readonly command: string;
}

export type RunStatus = 'done' | 'pending' | 'denied' | 'expired' | 'blocked' | 'unknown' | 'failed';

/** How a thread's latest run ended; `running` for one that did not, be it under way or cut off. */
export type ThreadStatus = RunStatus | 'running';

/** A thread as people and scripts may see it. */
export interface ThreadView {
  readonly thread: string;
  /** The first prompt, cut short. */
  readonly prompt: string;
  readonly status: ThreadStatus;
  readonly updated_at: string;
}

/** One entry of a thread's conversation. */
export type ThreadMessage =
  | { readonly role: 'user'; readonly text: string }
  /** Standard input: data for the model, which nobody said. */
  | { readonly role: 'context'; readonly text: string }
  | { readonly role: 'agent'; readonly text: string; readonly calls: readonly ThreadCall[] }
  | {
      readonly role: 'tool';
      readonly call: string;
      readonly name: string;
      readonly ok: boolean;
      readonly text: string;
    };

export interface ThreadCall {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

/** A thread whole: what was said and called, and what was asked of the phone. */
export interface ThreadRecord extends ThreadView {
  readonly messages: readonly ThreadMessage[];
  readonly approvals: readonly ApprovalView[];
}

/** What one call of a tool gave. */
export interface ToolData {
  readonly tool: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Where words in it come from that neither the person nor the gateway chose. */
  readonly outside?: string;
}

/** How one run ended: what `run --output json` prints, less its `schema` and `resume`. */
export interface RunResult {
  readonly thread: string;
  readonly status: RunStatus;
  readonly text: string;
  /** What the tools gave, in the order they did. */
  readonly data: readonly ToolData[];
  readonly orders: readonly Order[];
  /** What was sent. */
  readonly messages: readonly SentMessage[];
  readonly approvals: readonly ApprovalView[];
  /** What a run that is pending waits for beside approvals. */
  readonly connections: readonly ConnectionView[];
  readonly usage: {
    readonly model: string;
    readonly input_tokens: number;
    readonly output_tokens: number;
    /** Dollars, a decimal string; absent where it is not known. */
    readonly cost_usd?: string;
  };
  readonly error?: ErrorFacts;
}

/** What went wrong, as data: code, sentence, what to do next, and what the gateway's problem said beside them. */
export interface ErrorFacts extends ProblemMembers {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** The agent's one stream: chat, text, JSON and stream-JSON are views of it. The last event is always `result`. */
export type AgentEvent =
  | { readonly type: 'thread'; readonly thread: string }
  /** A piece of the answer as the model writes it. */
  | { readonly type: 'text'; readonly delta: string }
  | {
      readonly type: 'tool_call';
      readonly id: string;
      readonly name: string;
      readonly args: Record<string, unknown>;
    }
  | {
      readonly type: 'tool_result';
      readonly id: string;
      readonly name: string;
      readonly ok: boolean;
      readonly summary: string;
      readonly ms: number;
    }
  /** On every change of an approval's status. */
  | { readonly type: 'approval'; readonly approval: ApprovalView }
  | { readonly type: 'order'; readonly order: Order; readonly approval: string }
  /** The run stands still until an account is connected; or goes on, since it is, or was not in time. */
  | { readonly type: 'connection'; readonly connection: ConnectionView }
  /** Something the person should know that ends nothing: the provider is slow to answer, say. */
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'result'; readonly result: RunResult };
