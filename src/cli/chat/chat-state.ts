import type { AgentEvent, ApprovalView, RunResult } from '../../agent/events.ts';
import { toolCallText } from '../run-renderer.ts';
import { saysTheSame } from '../run-report.ts';
import { approvalOutcome, isFinalApproval } from '../text/approval-lines.ts';
import { safeLine, safeText } from '../text/safe-text.ts';

/** A tool that is running. */
export interface RunningTool {
  readonly id: string;
  readonly text: string;
}

/** Something finished: written above the live part once, and never again. */
export type ChatItem =
  | { readonly type: 'prompt'; readonly text: string }
  | { readonly type: 'answer'; readonly text: string }
  | { readonly type: 'tool'; readonly text: string; readonly ok: boolean; readonly ms: number }
  | { readonly type: 'outcome'; readonly text: string; readonly good: boolean }
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'report'; readonly text: string }
  | { readonly type: 'error'; readonly text: string; readonly hint: string | undefined };

/** What the chat shows, made from the agent's events alone. */
export interface ChatState {
  readonly items: readonly ChatItem[];
  /** The answer as far as it is written. */
  readonly answer: string;
  readonly tools: readonly RunningTool[];
  /** Approvals the person has still to decide on, or that are being carried out; oldest first. */
  readonly approvals: readonly ApprovalView[];
  readonly busy: boolean;
  readonly thread: string | undefined;
  /** The thread whose approvals were left pending, for `/resume` and for what is said on leaving. */
  readonly pendingThread: string | undefined;
}

export type ChatAction =
  | { readonly type: 'prompt'; readonly text: string }
  /** A run starts that no prompt began: `/resume`. */
  | { readonly type: 'resuming' }
  | { readonly type: 'event'; readonly event: AgentEvent }
  /** The event stream ended without a result. */
  | { readonly type: 'failed'; readonly message: string; readonly hint: string | undefined }
  | { readonly type: 'add'; readonly item: ChatItem };

export const emptyChat: ChatState = {
  items: [],
  answer: '',
  tools: [],
  approvals: [],
  busy: false,
  thread: undefined,
  pendingThread: undefined,
};

export function chatReducer(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case 'prompt':
      return add({ ...state, busy: true }, { type: 'prompt', text: safeText(action.text) });
    case 'resuming':
      return { ...state, busy: true };
    case 'add':
      return add(state, action.item);
    case 'failed':
      return ended(add(withAnswer(state), errorItem(action.message, action.hint)), state.approvals);
    case 'event':
      return onEvent(state, action.event);
  }
}

function onEvent(state: ChatState, event: AgentEvent): ChatState {
  switch (event.type) {
    case 'thread':
      return { ...state, thread: event.thread };
    case 'text':
      return { ...state, answer: state.answer + safeText(event.delta) };
    case 'tool_call': {
      const text = toolCallText(event.name, event.args);
      return { ...withAnswer(state), tools: [...state.tools, { id: event.id, text }] };
    }
    case 'tool_result': {
      const call = state.tools.find(({ id }) => id === event.id)?.text ?? safeLine(event.name);
      const tools = state.tools.filter(({ id }) => id !== event.id);
      const text = `${call}: ${safeLine(event.summary)}`;
      return add({ ...state, tools }, { type: 'tool', text, ok: event.ok, ms: event.ms });
    }
    case 'approval':
      return onApproval(state, event.approval);
    case 'order':
      // The approval's own event tells of the order.
      return state;
    case 'notice':
      return add(state, { type: 'note', text: safeLine(event.message) });
    case 'result':
      return onResult(state, event.result);
  }
}

function onApproval(state: ChatState, approval: ApprovalView): ChatState {
  const others = state.approvals.filter(({ id }) => id !== approval.id);
  if (isFinalApproval(approval.status) || approval.status === 'unknown') {
    const good = approval.status === 'executed';
    return add({ ...state, approvals: others }, { type: 'outcome', text: approvalOutcome(approval), good });
  }
  const known = state.approvals.some(({ id }) => id === approval.id);
  const approvals = known
    ? state.approvals.map((old) => (old.id === approval.id ? approval : old))
    : [...state.approvals, approval];
  return { ...withAnswer(state), approvals };
}

function onResult(state: ChatState, result: RunResult): ChatState {
  // A model that doesn't stream has said nothing yet.
  const said = state.answer !== '' || state.items.at(-1)?.type === 'answer';
  let next = withAnswer(said ? state : { ...state, answer: safeText(result.text) });
  const { error } = result;
  if (error !== undefined && !saysTheSame(result.text, error.message)) {
    next = add(next, errorItem(error.message, error.hint));
  }
  return ended({ ...next, thread: result.thread }, result.approvals);
}

/** The live part is over; what is undecided stays pending at the identity provider. */
function ended(state: ChatState, approvals: readonly ApprovalView[]): ChatState {
  const pending = approvals.filter(({ status }) => !isFinalApproval(status));
  let next: ChatState = { ...state, busy: false, tools: [], approvals: [] };
  for (const approval of pending) {
    next = add(next, {
      type: 'note',
      text: `${approvalOutcome(approval)} (${approval.id}); go on with /resume`,
    });
  }
  return { ...next, pendingThread: pending.length > 0 ? next.thread : undefined };
}

/** Moves the answer written so far up among the finished items. */
function withAnswer(state: ChatState): ChatState {
  const text = state.answer.trim();
  return text === '' ? { ...state, answer: '' } : add({ ...state, answer: '' }, { type: 'answer', text });
}

function add(state: ChatState, item: ChatItem): ChatState {
  return { ...state, items: [...state.items, item] };
}

function errorItem(message: string, hint: string | undefined): ChatItem {
  return { type: 'error', text: safeText(message), hint: hint === undefined ? undefined : safeText(hint) };
}
