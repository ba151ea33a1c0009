import type { AgentEvent, ApprovalView, ConnectionView, RunResult } from '../../agent/events.ts';
import { PLANNER_NAME } from '../../agent/model/planner-name.ts';
import { containsMessage } from '../../app/run.ts';
import { connectionLine, isProposalTool, toolCallText } from '../../app/run-words.ts';
import { safeLine, safeText } from '../../text/sanitize.ts';
import { usageText } from '../run/drive-run.ts';
import { approvalOutcome, isFinalApproval } from '../text/approval-lines.ts';
import { type ChatItem, errorItem, stoppedItem } from './chat-item.ts';

/** A run of the agent: the live part of a conversation. Several runs may be active at once. */
export interface ChatRun {
  /** The conversation's number in this chat, from 1. */
  readonly talk: number;
  /** Whether the run's lines show the conversation's number, because another conversation was open at the same time. */
  readonly numbered: boolean;
  readonly title: string;
  readonly thread: string | undefined;
  /** The part of the answer that has not been printed. */
  readonly answer: string;
  /** Whether part of the answer has been printed. */
  readonly answering: boolean;
  readonly tools: readonly { readonly id: string; readonly name: string; readonly text: string }[];
  readonly approvals: readonly ApprovalView[];
  readonly connections: readonly ConnectionView[];
  /** Printed outcomes and failures. Lines of the answer that repeat them are removed. */
  readonly told: readonly string[];
  /** Number of printed outcomes whose tool call is still running. */
  readonly shownOutcomes: number;
  /** Number of finished tool calls. */
  readonly finishedTools: number;
  /** Number of finished tool calls whose outcome had already been printed. */
  readonly notifiedTools: number;
}

interface Pending {
  readonly talk: number;
  readonly thread: string;
  readonly approvals: readonly ApprovalView[];
}

export interface ChatState {
  readonly items: readonly ChatItem[];
  readonly runs: readonly ChatRun[];
  readonly pending: readonly Pending[];
  readonly talk: number;
  readonly thread: string | undefined;
  readonly talks: number;
}

export type ChatAction =
  | {
      readonly type: 'start';
      readonly talk: number;
      readonly title: string;
      readonly text?: string;
      readonly thread?: string | undefined;
    }
  | { readonly type: 'event'; readonly talk: number; readonly event: AgentEvent }
  | {
      readonly type: 'failed';
      readonly talk: number;
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    }
  | { readonly type: 'fresh' }
  | { readonly type: 'add'; readonly item: ChatItem };

export const emptyChat: ChatState = {
  items: [],
  runs: [],
  pending: [],
  talk: 1,
  thread: undefined,
  talks: 1,
};

/** Returns whether the model is idle because the run is waiting for the phone or a connection. */
export function isRunWaiting(run: ChatRun): boolean {
  if (run.connections.length > 0 && run.answer === '') return true;
  const orders = run.tools.filter(({ name }) => isProposalTool(name));
  return (
    run.approvals.length > 0 &&
    run.approvals.every(({ status }) => status === 'requested') &&
    orders.length === run.tools.length &&
    orders.length <= run.approvals.length
  );
}

/** Returns the most recent run whose model is working. The person is waiting for this run. */
export function findActiveRun(state: ChatState): ChatRun | undefined {
  return state.runs.findLast((run) => !isRunWaiting(run));
}

export function chatReducer(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case 'start':
      return onStart(state, action);
    case 'add':
      return addItem(state, action.item);
    case 'fresh':
      // When a conversation is over, the next one gets its number.
      return isConversationOpen(state, state.talk)
        ? { ...state, talk: state.talks + 1, talks: state.talks + 1, thread: undefined }
        : { ...state, thread: undefined };
    case 'failed': {
      const run = state.runs.find(({ talk }) => talk === action.talk);
      if (run === undefined) return addItem(state, errorItem(action.message, action.hint));
      const item = action.code === 'interrupted' ? stoppedItem : errorItem(action.message, action.hint);
      const said = addRunItem(flushAnswer(state, run), run, item);
      return endRun(said, run, run.approvals);
    }
    case 'event': {
      const run = state.runs.find(({ talk }) => talk === action.talk);
      return run === undefined ? state : onEvent(state, run, action.event);
    }
  }
}

function onStart(state: ChatState, action: ChatAction & { type: 'start' }): ChatState {
  const { talk, title, text, thread } = action;
  const others = state.runs.filter((other) => other.talk !== talk);
  const numbered = others.length > 0 || state.pending.some((left) => left.talk !== talk);
  const run: ChatRun = {
    talk,
    numbered,
    title,
    thread,
    answer: '',
    answering: false,
    tools: [],
    approvals: [],
    connections: [],
    told: [],
    shownOutcomes: 0,
    finishedTools: 0,
    notifiedTools: 0,
  };
  const next: ChatState = {
    ...state,
    runs: [...state.runs.map((other) => ({ ...other, numbered: true })), run],
    pending: state.pending.filter((left) => left.talk !== talk),
    talk,
    thread,
    talks: Math.max(state.talks, talk),
  };
  return text === undefined ? next : addRunItem(next, run, { type: 'prompt', text: safeText(text) });
}

function onEvent(state: ChatState, run: ChatRun, event: AgentEvent): ChatState {
  switch (event.type) {
    case 'thread': {
      const next = updateRun(state, { ...run, thread: event.thread });
      return state.talk === run.talk ? { ...next, thread: event.thread } : next;
    }
    case 'text':
      return onText(state, run, safeText(event.delta));
    case 'tool_call': {
      const tool = { id: event.id, name: event.name, text: toolCallText(event) };
      return updateRun(flushAnswer(state, run), { tools: [...run.tools, tool] }, run.talk);
    }
    case 'tool_result':
      return onToolResult(state, run, event);
    case 'approval':
      return onApproval(state, run, event.approval);
    case 'order':
      // The approval event reports the order's outcome.
      return state;
    case 'connection':
      return onConnection(state, run, event.connection);
    case 'notice':
      return addRunItem(state, run, { type: 'note', text: safeLine(event.message) });
    case 'result':
      return onResult(state, run, event.result);
  }
}

function onToolResult(
  state: ChatState,
  run: ChatRun,
  { id, name, ok, ms, summary }: AgentEvent & { type: 'tool_result' },
): ChatState {
  const call = run.tools.find((tool) => tool.id === id)?.text ?? safeLine(name);
  const told = isProposalTool(name) && run.shownOutcomes > 0;
  const next = updateRun(state, {
    ...run,
    tools: run.tools.filter((tool) => tool.id !== id),
    finishedTools: run.finishedTools + 1,
    ...(told ? { shownOutcomes: run.shownOutcomes - 1, notifiedTools: run.notifiedTools + 1 } : {}),
    told: told && !ok ? [...run.told, safeLine(summary)] : run.told,
  });
  if (told) return next;
  return addRunItem(next, run, { type: 'tool', text: `${call}: ${safeLine(summary)}`, ok, ms });
}

/**
 * Prints settled lines (see {@link splitAnswer}) immediately, unless another conversation's answer is being printed.
 * Lines of two answers must not mix.
 */
function onText(state: ChatState, run: ChatRun, delta: string): ChatState {
  const answer = run.answering || run.answer !== '' ? run.answer + delta : delta.trimStart();
  const alone = findActiveRun(state)?.talk === run.talk;
  const { settled, open } = alone ? splitAnswer(answer) : { settled: '', open: answer };
  if (settled.trim() === '') return updateRun(state, { ...run, answer });
  const text = removeRepeatedLines(run, settled).replace(/\n+$/, '');
  if (text.trim() === '') return updateRun(state, { ...run, answer: run.answering ? open : open.trimStart() });
  // Keeps trailing empty lines for the next part of the answer, because they separate it from this part.
  const gap = settled.slice(settled.replace(/\n+$/, '').length + 1);
  const next = addRunItem(state, run, { type: 'answer', text, ...(run.answering ? { continuesAnswer: true } : {}) });
  return updateRun(next, { ...run, answer: gap + open, answering: true });
}

function onApproval(state: ChatState, run: ChatRun, approval: ApprovalView): ChatState {
  const others = run.approvals.filter(({ id }) => id !== approval.id);
  if (isFinalApproval(approval.status) || approval.status === 'unknown') {
    const good = approval.status === 'executed';
    const text = approvalOutcome(approval);
    const next = updateRun(state, {
      ...run,
      approvals: others,
      shownOutcomes: run.shownOutcomes + 1,
      told: [...run.told, text],
    });
    return addRunItem(next, run, { type: 'outcome', text, good });
  }
  const known = run.approvals.some(({ id }) => id === approval.id);
  const approvals = known
    ? run.approvals.map((old) => (old.id === approval.id ? approval : old))
    : [...run.approvals, approval];
  return updateRun(flushAnswer(state, run), { approvals }, run.talk);
}

function onConnection(state: ChatState, run: ChatRun, connection: ConnectionView): ChatState {
  const others = run.connections.filter(({ name }) => name !== connection.name);
  const needed = connection.status === 'needed';
  const next = updateRun(state, { ...run, connections: needed ? [...others, connection] : others });
  const text = connectionLine(connection);
  if (needed) return addRunItem(next, run, { type: 'note', text });
  return addRunItem(next, run, { type: 'outcome', text, good: connection.status === 'connected' });
}

function onResult(state: ChatState, run: ChatRun, result: RunResult): ChatState {
  // A model that doesn't stream returns its answer only with the result.
  const said = run.answer !== '' || run.answering || endsWithAnswer(state, run);
  const whole = repeatsOutcomes(run, result)
    ? { ...run, answer: '' }
    : said
      ? run
      : { ...run, answer: safeText(result.text) };
  let next = flushAnswer(state, whole);
  const { error, usage } = result;
  if (error?.code === 'interrupted') next = addRunItem(next, run, stoppedItem);
  else if (error !== undefined && !containsMessage(result.text, error.message)) {
    next = addRunItem(next, run, errorItem(error.message, error.hint));
  }
  if (usage.input_tokens + usage.output_tokens > 0) {
    next = addRunItem(next, run, { type: 'note', text: safeLine(usageText(usage)) });
  }
  return endRun(next, { ...whole, thread: result.thread || run.thread }, result.approvals);
}

/** Returns the answer without lines that repeat a printed outcome or failure. */
export function removeRepeatedLines({ told }: ChatRun, answer: string): string {
  const repeats = (line: string) =>
    told.some((text) => line.startsWith(text) && /^\.?( Nothing was [a-z]+\.)?$/.test(line.slice(text.length)));
  const lines = answer.split('\n');
  const kept = lines.filter((line) => !repeats(line.trim()));
  return kept.length === lines.length
    ? answer
    : kept
        .join('\n')
        .replace(/^\n+/, '')
        .replace(/\n{3,}/g, '\n\n');
}

/** Returns whether the planner's answer only repeats outcomes that were already printed. */
function repeatsOutcomes(run: ChatRun, { usage, text }: RunResult): boolean {
  const outcomesAlone = run.notifiedTools > 0 && run.notifiedTools === run.finishedTools;
  return usage.model === PLANNER_NAME && outcomesAlone && !run.answering && !text.includes('\n');
}

function endsWithAnswer(state: ChatState, run: ChatRun): boolean {
  const last = state.items.findLast((item) => item.talk === undefined || item.talk === conversationName(run.talk));
  return last?.type === 'answer';
}

/**
 * Ends the run. Its open approval requests stay on the phone, and orders that the person approves later are still
 * placed.
 */
function endRun(state: ChatState, run: ChatRun, approvals: readonly ApprovalView[]): ChatState {
  const left = approvals.filter(({ status }) => !isFinalApproval(status));
  let next = state;
  for (const approval of left) {
    const text =
      `${approvalOutcome(approval)} (${approval.id}); placed once you approve it, see /resume ${run.thread ?? ''}`.trim();
    next = addRunItem(next, run, { type: 'note', text });
  }
  const pending = next.pending.filter(({ talk }) => talk !== run.talk);
  return {
    ...next,
    runs: next.runs.filter(({ talk }) => talk !== run.talk),
    pending:
      left.length === 0 || run.thread === undefined
        ? pending
        : [...pending, { talk: run.talk, thread: run.thread, approvals: left }],
    ...(state.talk === run.talk ? { thread: run.thread } : {}),
  };
}

function flushAnswer(state: ChatState, run: ChatRun): ChatState {
  const text = removeRepeatedLines(run, run.answer).trimEnd();
  const next = updateRun(state, { ...run, answer: '', answering: false });
  if (text.trim() === '') return next;
  return addRunItem(next, run, { type: 'answer', text, ...(run.answering ? { continuesAnswer: true } : {}) });
}

function updateRun(state: ChatState, change: Partial<ChatRun>, talk = change.talk): ChatState {
  return {
    ...state,
    runs: state.runs.map((run) => (run.talk === talk ? { ...run, ...change } : run)),
  };
}

/** Returns whether a conversation is running or waits for an approval. */
export function isConversationOpen(state: ChatState, talk: number): boolean {
  return state.runs.some((run) => run.talk === talk) || state.pending.some((left) => left.talk === talk);
}

/** Adds an item to the chat, with the name of its conversation if several were open at the same time. */
function addRunItem(state: ChatState, run: ChatRun, item: ChatItem): ChatState {
  return addItem(state, run.numbered ? { ...item, talk: conversationName(run.talk) } : item);
}

export function shortTitle(prompt: string): string {
  const line = safeLine(prompt);
  return line.length > 40 ? `${line.slice(0, 37)}...` : line;
}

export function conversationName(talk: number): string {
  return `#${talk}`;
}

function addItem(state: ChatState, item: ChatItem): ChatState {
  return { ...state, items: [...state.items, item] };
}

/**
 * Splits an unfinished answer into settled lines, which can be printed, and the rest, which may still change. A table
 * is settled when another line follows it, because each row may change all column widths. A code block is settled when
 * it is closed, and any other line when it ends.
 */
export function splitAnswer(answer: string): { readonly settled: string; readonly open: string } {
  let settled = 0;
  let fence: string | undefined;
  let at = 0;
  const lines = answer.split('\n');
  const unfinished = lines.pop() ?? '';
  for (const line of lines) {
    const start = at;
    at += line.length + 1;
    const mark = /^(```+|~~~+)/.exec(line.trim())?.[1];
    if (fence !== undefined) {
      if (!mark?.startsWith(fence)) continue;
      fence = undefined;
      settled = at;
    } else if (mark !== undefined) {
      fence = mark;
      // The start of a code block also ends a table right above it, so everything before the block is settled.
      settled = start;
    } else if (!line.trim().startsWith('|')) settled = at;
  }
  // The table is complete if the unfinished line isn't part of it.
  if (fence === undefined && /^[^|]/.test(unfinished.trim())) settled = at;
  return { settled: answer.slice(0, settled), open: answer.slice(settled) };
}
