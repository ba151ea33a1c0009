import type { z } from 'zod';
import type { ErrorCode } from '../errors/errors.ts';
import type { ProblemMembers } from '../errors/problem-members.ts';
import type { KindOutcome } from '../trading/kinds/kind-words.ts';
import type { ProposalKind, SubjectOf } from '../trading/kinds/kinds.ts';
import type { SentMessage } from '../trading/message.ts';
import type { Environment } from '../trading/order.ts';
import type { CodeEntry, ProposalState, WorstCase } from '../trading/proposal.ts';
import type { Order } from '../trading/views.ts';
import type {
  callDraftSchema,
  connectionSchema,
  runStatusSchema,
  threadMessageSchema,
  threadSchema,
  toolDataSchema,
  usageSchema,
} from './view-schemas.ts';

export type ApprovalStatus = ProposalState;

interface ApprovalViewBase extends KindOutcome {
  readonly id: string;
  /** The local thread of the proposal; empty if another client or machine made the proposal. */
  readonly thread: string;
  readonly status: ApprovalStatus;
  /** The four characters that the phone also shows, so that the person can compare them. */
  readonly code: string;
  /** Set if the person has to type the code on the phone, instead of comparing it. */
  readonly code_entry?: CodeEntry;
  readonly expires_at: string;
  /** Whether the approval has expired. Set only while the gateway can't be reached. */
  readonly overdue?: boolean;
  /** Whether the gateway can't be reached. If so, the approval's status may be outdated. */
  readonly stale?: boolean;
  /** Absent if the proposal involves no money, such as a message. */
  readonly environment?: Environment;
  /** Account and broker, such as `PA3ALICE01 at Alpaca`; absent if a person can have only one account. */
  readonly account_at?: string;
  /** Names of the fields that a model chose; absent if there are none. */
  readonly chosen_by_ai?: readonly string[];
  /** The mandate under which the proposal was approved without asking the owner. */
  readonly mandate_id?: string;
  readonly reason: string | undefined;
  /** Null if the worst case is unlimited or unknown. */
  readonly worst_case: WorstCase | null;
  readonly warnings: readonly string[];
  /** The name that the proposer gives itself, such as `chat`. */
  readonly requested_by: string | null;
  /** OAuth client ID. */
  readonly client: string;
}

/** An approval as shown to users and scripts. The field named after the approval's kind contains what was proposed. */
export type ApprovalView = { [K in ProposalKind]: ApprovalViewOf<K> }[ProposalKind];
export type ApprovalViewOf<K extends ProposalKind> = ApprovalViewBase & {
  readonly kind: K;
} & { readonly [Name in K]: SubjectOf<Name> };

/**
 * A connection that a run needs. The status `missing` means that the connection was not made in time, and that the run
 * continues without it.
 */
export type ConnectionView = Readonly<z.output<typeof connectionSchema>>;

export type RunStatus = z.output<typeof runStatusSchema>;

/** How the thread's latest run ended. A run that was killed before it stored its status counts as `running`. */
export type ThreadStatus = RunStatus | 'running';

/** A thread in a list; its `prompt` is truncated. */
export type ThreadView = Readonly<z.output<typeof threadSchema>>;

/** A message in a thread. Text from standard input has the role `context`. */
export type ThreadMessage = z.output<typeof threadMessageSchema>;
export type ThreadCall = Extract<ThreadMessage, { role: 'agent' }>['calls'][number];

export interface ThreadRecord extends ThreadView {
  readonly messages: readonly ThreadMessage[];
  readonly approvals: readonly ApprovalView[];
}

export type ToolData = z.output<typeof toolDataSchema>[number];

/** The effect that a call would have without `dryRun`. The field named after `kind` contains the request. */
export type CallDraft = Readonly<z.output<typeof callDraftSchema>>;

/** Result of a run. `run --output json` prints it with the additional fields `schema` and `resume`. */
export interface RunResult {
  readonly thread: string;
  readonly status: RunStatus;
  readonly text: string;
  readonly data: readonly ToolData[];
  readonly orders: readonly Order[];
  readonly messages: readonly SentMessage[];
  readonly approvals: readonly ApprovalView[];
  readonly connections: readonly ConnectionView[];
  readonly usage: Readonly<z.output<typeof usageSchema>>;
  /** Set only by a dry run. */
  readonly drafts?: readonly CallDraft[];
  readonly error?: ErrorFacts;
}

export interface ErrorFacts extends ProblemMembers {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
}

/** An event of a run. The last event is always `result`. */
export type AgentEvent =
  | { readonly type: 'thread'; readonly thread: string }
  | { readonly type: 'text'; readonly delta: string }
  | {
      readonly type: 'tool_call';
      readonly id: string;
      readonly name: string;
      /** The tool's display title; absent for a tool of another MCP server. */
      readonly title?: string;
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
  /** Emitted on every status change. */
  | { readonly type: 'approval'; readonly approval: ApprovalView }
  | { readonly type: 'order'; readonly order: Order; readonly approval: string }
  /** The run waits for an account to be connected, or ends this wait after the connection or the deadline. */
  | { readonly type: 'connection'; readonly connection: ConnectionView }
  /** A message for the person, such as that a provider is slow. The run continues. */
  | { readonly type: 'notice'; readonly message: string }
  | { readonly type: 'result'; readonly result: RunResult };
