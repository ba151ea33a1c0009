import type { Agent, ApprovalMode, RunOptions } from '../agent/agent.ts';
import type { AgentEvent, ApprovalView, RunResult } from '../agent/events.ts';
import { RunFollower } from '../agent/run/run-follower.ts';
import { kindPayload } from '../trading/kinds/kinds.ts';
import type { Order } from '../trading/views.ts';
import { defined } from '../values/defined.ts';
import type { AgentOptions, App } from './app.ts';
import { resolveThreadId } from './threads.ts';

export interface RunSettings extends AgentOptions {
  readonly approval: ApprovalMode;
  readonly maxTurns?: number;
  /** Whether to withdraw pending proposals if the run is interrupted. */
  readonly cancelOnExit?: boolean;
}

export type RunInput = Parameters<Agent['run']>[0];

/**
 * Sends one request to the agent, in a new or existing thread.
 * @param input called after the agent has started
 * @returns the run's events; the last event is its result
 * @throws {TradeAgentError} errors that prevent the agent from starting, and any error from `input`
 */
export async function startRun(
  app: App,
  input: () => Promise<RunInput>,
  settings: RunSettings,
): Promise<AsyncIterable<AgentEvent>> {
  const agent = await app.agent(settings);
  const asked = await input();
  const events = agent.run(asked, toRunOptions(app, settings));
  if (settings.dryRun) return withoutThread(events);
  return asked.thread === undefined ? deleteIfNotUnderstood(agent, events) : events;
}

/** Removes the thread from a dry run's events, because the thread is deleted when the run ends. */
async function* withoutThread(events: AsyncIterable<AgentEvent>): AsyncGenerator<AgentEvent> {
  for await (const event of events) {
    if (event.type === 'result') yield { type: 'result', result: { ...event.result, thread: '' } };
    else if (event.type !== 'thread') yield event;
  }
}

/** Deletes the thread of a prompt that was not understood, because such a thread can't be continued. */
async function* deleteIfNotUnderstood(agent: Agent, events: AsyncIterable<AgentEvent>): AsyncGenerator<AgentEvent> {
  let begun: string | undefined;
  let result: RunResult | undefined;
  for await (const event of events) {
    if (event.type === 'thread') begun = event.thread;
    if (event.type === 'result') result = event.result;
    else yield event;
  }
  if (result === undefined) return;
  const { status, error, approvals, orders } = result;
  const idle = status === 'failed' && error?.code === 'usage' && approvals.length === 0 && orders.length === 0;
  // If the thread can't be deleted, it remains in the list as a failed thread.
  const isGone =
    idle &&
    begun !== undefined &&
    (await agent.deleteThread(begun).then(
      () => true,
      () => false,
    ));
  yield { type: 'result', result: isGone ? { ...result, thread: '' } : result };
}

/** Resumes a thread. @param thread its ID or a prefix @throws {TradeAgentError} if the agent can't start */
export async function resumeRun(app: App, thread: string, settings: RunSettings): Promise<AsyncIterable<AgentEvent>> {
  const agent = await app.agent(settings);
  return agent.resume(await resolveThreadId(app, thread), toRunOptions(app, settings));
}

export function toRunOptions(
  { signal }: App,
  { approval, maxTurns, cancelOnExit }: Omit<RunSettings, keyof AgentOptions>,
): RunOptions {
  return {
    approval,
    signal,
    requestedBy: 'run',
    ...defined({ cancelOnExit: cancelOnExit || undefined, maxTurns }),
  };
}

/**
 * Follows a run and returns its result, even if the run is interrupted.
 * @param show receives every event except the result
 * @param thread the run's thread, if known before it starts
 * @throws any error that the run throws before it has a thread
 */
export async function followRun(
  events: AsyncIterable<AgentEvent>,
  signal: AbortSignal,
  show: (event: AgentEvent) => void | Promise<void>,
  thread?: string,
): Promise<RunResult> {
  const follower = new RunFollower();
  if (thread !== undefined) follower.follow({ type: 'thread', thread });
  let failure: unknown;
  try {
    for await (const event of events) {
      follower.follow(event);
      if (event.type !== 'result') await show(event);
    }
  } catch (error) {
    failure = error;
  }
  return follower.result(signal.aborted ? signal.reason : failure);
}

export type RunOutput = ReturnType<typeof toRunOutput>;

/** Returns the object that `run --output json` prints. @param profileOptions the options that selected the profile */
export function toRunOutput(result: RunResult, profileOptions: readonly string[] = []) {
  return {
    thread: result.thread,
    status: result.status,
    text: result.text,
    data: result.data,
    orders: result.orders.map(orderFields),
    messages: result.messages,
    approvals: result.approvals.map(toApprovalFields),
    connections: result.connections.map(({ name, command }) => ({
      name,
      command: shellCommand([...command.split(' '), ...profileOptions]),
    })),
    // A run that was rejected before it had a thread can't be resumed.
    resume: result.thread === '' ? '' : formatResumeCommand(result.thread, profileOptions),
    usage: result.usage,
    ...defined({ drafts: result.drafts, error: result.error }),
  };
}

function orderFields(order: Order) {
  const { id, client_order_id, symbol, side, qty, type, approved_type, status, filled_qty, filled_avg_price } = order;
  const terms = { id, client_order_id, symbol, side, qty, type, ...defined({ approved_type }) };
  return { ...terms, status, filled_qty, filled_avg_price };
}

export function toApprovalFields(approval: ApprovalView) {
  const { id, status, code, expires_at, kind, worst_case, warnings, requested_by, client } = approval;
  return {
    id,
    status,
    code,
    expires_at,
    kind,
    worst_case,
    warnings,
    requested_by,
    client,
    ...defined({ code_entry: approval.code_entry, mandate_id: approval.mandate_id, granted: approval.granted }),
    [kind]: kindPayload(approval),
  };
}

export function proposedSymbols(approval: ApprovalView): string[] {
  if (approval.kind === 'order') return [approval.order.symbol];
  return approval.kind === 'batch' ? approval.batch.orders.map(({ symbol }) => symbol) : [];
}

export function formatResumeCommand(thread: string, profileOptions: readonly string[] = []): string {
  return shellCommand(['trade-agent', 'resume', thread, ...profileOptions]);
}

function shellCommand(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

export function containsMessage(text: string, message: string): boolean {
  return text.toLowerCase().includes(message.toLowerCase().replace(/\.$/, ''));
}
