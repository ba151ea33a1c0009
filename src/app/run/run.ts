import type { Agent, ApprovalMode, RunOptions } from '../../agent/agent.ts';
import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { defined } from '../../values/defined.ts';
import type { AgentOptions, App } from '../app.ts';

/** How a run is to go, as a person or a script says it. */
export interface RunSettings extends AgentOptions {
  readonly approval: ApprovalMode;
  /** Model calls at most. */
  readonly maxTurns?: number;
  /** Stopped early, it takes back what still waits for the phone. */
  readonly cancelOnExit?: boolean;
}

export type RunInput = Parameters<Agent['run']>[0];

/**
 * Asks the agent once, in a new thread or an earlier one.
 * @param input asked for once the agent is there, so that reading it goes on beside the agent's start
 * @returns what happens, event by event; the last is the result
 * @throws {TradeAgentError} what keeps an agent from starting, and what `input` throws
 */
export async function run(
  app: App,
  input: () => Promise<RunInput>,
  settings: RunSettings,
): Promise<AsyncIterable<AgentEvent>> {
  const agent = await app.agent(settings);
  const asked = await input();
  const events = agent.run(asked, runOptions(app, settings));
  return asked.thread === undefined ? withoutTrace(agent, events) : events;
}

/**
 * A sentence that was not understood leaves no thread of its own behind: nothing was done in it, and to ask in other words
 * is to begin anew.
 */
async function* withoutTrace(agent: Agent, events: AsyncIterable<AgentEvent>): AsyncGenerator<AgentEvent> {
  let begun: string | undefined;
  let result: RunResult | undefined;
  for await (const event of events) {
    if (event.type === 'thread') begun = event.thread;
    if (event.type === 'result') result = event.result;
    else yield event;
  }
  if (result === undefined) return;
  const { status, error, approvals, orders } = result;
  const idle =
    status === 'failed' && error?.code === 'usage' && approvals.length === 0 && orders.length === 0;
  // What can't be removed stays a failed thread, as any other.
  const isGone =
    idle &&
    begun !== undefined &&
    (await agent.deleteThread(begun).then(
      () => true,
      () => false,
    ));
  yield { type: 'result', result: isGone ? { ...result, thread: '' } : result };
}

/** Goes on with a thread that stopped. @param thread its id, or how it begins @throws {TradeAgentError} what keeps an agent from starting */
export async function resume(
  app: App,
  thread: string,
  settings: RunSettings,
): Promise<AsyncIterable<AgentEvent>> {
  const agent = await app.agent(settings);
  const { threadIdOf } = await import('../threads/threads.ts');
  return agent.resume(await threadIdOf(app, thread), runOptions(app, settings));
}

/** What the agent is told of a run's settings. */
export function runOptions(
  { signal }: App,
  { approval, maxTurns, cancelOnExit }: Omit<RunSettings, keyof AgentOptions>,
): RunOptions {
  return {
    approval,
    signal,
    requestedBy: 'run',
    ...(cancelOnExit === true ? { cancelOnExit: true } : {}),
    ...defined({ maxTurns }),
  };
}
