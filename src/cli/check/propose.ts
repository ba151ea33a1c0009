import type { RunOptions } from '../../agent/agent.ts';
import type { AgentEvent, RunResult } from '../../agent/events.ts';
import { shortId } from '../../agent/short-id.ts';
import { RunFollower, runObject } from '../../app/run/run-report.ts';
import type { Proposal } from '../../check/check.ts';
import type { Notice } from '../../notify/notice.ts';
import type { AccountMemory } from '../../store/check-store.ts';
import type { Context } from '../context.ts';
import { createRunRenderer } from '../run/run-renderer.ts';
import { orderPrompt } from './order-sentence.ts';

/**
 * Proposes orders the way of any order: the built-in planner calls the tools, the person approves on their phone, the
 * gateway places each once, whether or not this still runs. Ends as the run does, also where it was interrupted.
 */
export async function propose(
  context: Context,
  proposals: readonly Proposal[],
  memory: AccountMemory<Notice>,
  options: Pick<RunOptions, 'approval' | 'requestedBy' | 'ttl'>,
): Promise<RunResult> {
  const { clock, signal } = context;
  const { prompt, count } = orderPrompt(proposals.map(({ request }) => request));
  const asked = proposals.slice(0, count);
  const thread = shortId('th_', 10);
  for (const { rule } of asked)
    if (rule !== undefined) await memory.proposing(rule.name, rule.definition, thread, clock.now());

  const agent = await context.agent({ model: 'builtin' });
  const result = await followed(
    context,
    agent.run({ prompt, thread }, { requestedBy: 'check', composedBy: 'check', ...options, signal }),
    thread,
  );
  for (const { rule, request } of asked) {
    if (
      rule !== undefined &&
      result.approvals.some((one) => one.kind === 'order' && one.order.symbol === request.symbol)
    )
      await memory.asked(rule.name, rule.definition);
  }
  return result;
}

async function followed(
  context: Context,
  events: AsyncIterable<AgentEvent>,
  thread: string,
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
