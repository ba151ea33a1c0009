import type { ApprovalMode } from '../../agent/agent.ts';
import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { shortId } from '../../agent/short-id.ts';
import type { Proposal } from '../../check/check.ts';
import type { AccountMemory } from '../../check/check-store.ts';
import type { Context } from '../context.ts';
import { createRunRenderer } from '../run-renderer.ts';
import { RunFollower, runObject } from '../run-report.ts';
import { orderPrompt } from './order-sentence.ts';

/**
 * Proposes orders the way of any order: the built-in planner calls the tools, the person approves on their phone, the
 * gateway places each once. Ends as the run does, also where it was interrupted.
 */
export async function propose(
  context: Context,
  proposals: readonly Proposal[],
  memory: AccountMemory,
  approval: ApprovalMode,
): Promise<RunResult> {
  const { clock, signal } = context;
  const { prompt, count } = orderPrompt(proposals.map(({ request }) => request));
  const asked = proposals.slice(0, count);
  const thread = shortId('th_', 10);
  for (const { rule } of asked)
    if (rule !== undefined) memory.proposing(rule.name, rule.definition, thread, clock.now());

  const agent = await context.agent({ model: 'builtin' });
  const result = await followed(context, agent.run({ prompt, thread }, { approval, signal }), thread);
  for (const { rule, request } of asked) {
    if (
      rule !== undefined &&
      result.approvals.some((one) => one.kind !== 'message' && one.order.symbol === request.symbol)
    )
      memory.asked(rule.name, rule.definition);
  }
  return result;
}

/** Waits for the phone where a check left its orders pending, and places what is approved, as resuming does. */
export async function goOn(context: Context, { thread, approvals }: RunResult): Promise<RunResult> {
  const agent = await context.agent({ model: 'builtin' });
  const events = agent.resume(thread, { approval: 'wait', signal: context.signal });
  return await followed(context, events, thread, new Set(approvals.map(({ id }) => id)));
}

/** @param asked approvals whose question was shown before */
async function followed(
  context: Context,
  events: AsyncIterable<AgentEvent>,
  thread: string,
  asked: ReadonlySet<string> = new Set(),
): Promise<RunResult> {
  const { io, output, clock, signal } = context;
  const { phone } = await context.profile();
  const renderer = createRunRenderer(io, clock, { format: 'json', phone });
  const follower = new RunFollower();
  follower.follow({ type: 'thread', thread });
  let failure: unknown;
  try {
    for await (const event of events) {
      follower.follow(event);
      if (event.type === 'result') continue;
      const { status, id } = event.type === 'approval' ? event.approval : { status: undefined, id: '' };
      if (status === 'requested' && asked.has(id)) continue;
      output.event({ ...event });
      if (output.format !== 'stream-json') show(event, renderer.show);
    }
  } catch (error) {
    failure = error;
  }
  return follower.result(signal.aborted ? signal.reason : failure);
}

/** What the person must know while it waits; the planner's own words say nothing the result does not. */
function show(event: AgentEvent, render: (event: AgentEvent) => void): void {
  if (event.type === 'approval' || event.type === 'notice') render(event);
}

/** As `run --output json` prints it. */
export function proposalObject(context: Context, result: RunResult): Record<string, unknown> {
  return { ...runObject(result, context.profileOption) };
}
