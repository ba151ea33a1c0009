import type { Agent } from '../../../agent/agent.ts';
import type { ApprovalView } from '../../../agent/events.ts';
import { type ExitCode, exitCodeForRun } from '../../../app/exit-codes.ts';
import { RunFollower, type RunObject, resumeCommand, runObject } from '../../../app/run/run-report.ts';
import { safeLine } from '../../../net/shown-text.ts';
import { describeMessage } from '../../../trading/message.ts';
import type { Context } from '../../context.ts';
import { driveRun } from '../../run/drive-run.ts';
import { createRunRenderer } from '../../run/run-renderer.ts';
import { runOptions } from '../run/run.ts';
import { findApproval, printApproval } from './approvals.ts';

/** Of several exit codes the one to end with: what must be looked after comes first. */
const gravest: readonly ExitCode[] = [10, 130, 124, 12, 4, 11, 5, 1, 9, 8, 6, 7, 2, 3];

/**
 * Waits for approvals and goes on with their threads, all at once, so that each conversation hears what became of its
 * own. Without ids, for all that are pending. One that has no thread here is followed by itself.
 */
export async function waitForApprovals(context: Context, ids: readonly string[]): Promise<number> {
  const agent = await context.agent({});
  const [only] = ids;
  if (only !== undefined && ids.length === 1) {
    const { thread } = await findApproval(context, only);
    if (thread === '') return await followAlone(context, only);
    return driveRun(context, agent.resume(thread, runOptions(context, { approval: 'wait' })));
  }
  const approvals: ApprovalView[] = [];
  if (ids.length === 0) approvals.push(...(await agent.approvals()).filter(isOpen));
  else for (const id of ids) approvals.push(await findApproval(context, id));
  // What another client proposed is for that to follow.
  const threads = [...new Set(approvals.map(({ thread }) => thread).filter((thread) => thread !== ''))];
  const runs = await Promise.all(threads.map((thread) => follow(context, agent, thread)));
  await context.output.result('runs', { runs }, () =>
    runs.length === 0 ? 'No approval is pending.' : runs.map(summary).join('\n'),
  );
  if (context.output.format === 'text') sayWhatIsLeft(context, runs);
  const codes = runs.map(exitCodeForRun);
  return gravest.find((code) => codes.includes(code)) ?? 0;
}

/** Waits for what another client, or another machine, proposed. */
async function followAlone(context: Context, id: string): Promise<number> {
  const gateway = await context.gateway();
  const { waitAndShow } = await import('../../run/asked-proposal.ts');
  await waitAndShow(context, gateway, await gateway.proposal(id));
  await printApproval(context, await findApproval(context, id));
  return 0;
}

function isOpen({ status }: ApprovalView): boolean {
  return ['drafted', 'requested', 'approved', 'executing', 'unknown'].includes(status);
}

async function follow(context: Context, agent: Agent, thread: string): Promise<RunObject> {
  const { io, output, signal, clock } = context;
  const { phone } = await context.profile();
  const renderer = createRunRenderer(io, clock, { format: output.format, phone });
  const follower = new RunFollower();
  follower.follow({ type: 'thread', thread });
  let failure: unknown;
  try {
    for await (const event of agent.resume(thread, runOptions(context, { approval: 'wait' }))) {
      follower.follow(event);
      if (event.type === 'result') continue;
      output.event({ thread, ...event });
      // Several answers at once would run into each other; each is in its thread, and its order in the summary.
      if (output.format !== 'stream-json' && event.type !== 'text') renderer.show(event);
    }
  } catch (error) {
    failure = error;
  }
  return runObject(follower.result(signal.aborted ? signal.reason : failure), context.profileOption);
}

function summary({ thread, status, orders, messages, error }: RunObject): string {
  const what = orders.map(({ side, qty, symbol, status: at }) => `${side} ${qty ?? ''} ${symbol}: ${at}`);
  const told = messages.map((message) => `sent: ${describeMessage(message)}`);
  const why = error === undefined ? [] : [safeLine(error.message)];
  return [`${thread}  ${status}`, ...what, ...told, ...why].join(' · ');
}

function sayWhatIsLeft({ io, profileOption }: Context, runs: readonly RunObject[]): void {
  for (const { thread, status } of runs) {
    if (status !== 'pending' && status !== 'unknown') continue;
    io.talk(`still ${status}; go on with: ${resumeCommand(thread, profileOption)}`);
  }
}
