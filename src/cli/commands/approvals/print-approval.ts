import type { ApprovalView } from '../../../agent/events.ts';
import { waitForApproval, waitForApprovals } from '../../../app/approvals/approvals.ts';
import { exitCodeForRuns, exitCodes } from '../../../app/exit-codes.ts';
import { formatResumeCommand, type RunOutput } from '../../../app/run.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { describeMessage } from '../../../trading/message.ts';
import type { Context } from '../../context/context.ts';
import { createApprovalListener } from '../../run/approval-progress.ts';
import { showRun } from '../../run/drive-run.ts';
import { RunRenderer } from '../../run/run-renderer.ts';
import { toAudience } from '../../text/audience.ts';

export async function printApproval(context: Context, approval: ApprovalView): Promise<void> {
  await context.output.result('approval', { approval }, async () => {
    const { subjectFields } = await import('../../text/approval-subject.ts');
    const { approvalOutcome, requesterText } = await import('../../text/approval-lines.ts');
    const reader = toAudience(context.io);
    const rows: [string, string][] = [
      ['approval', reader.ids([approval.id])(approval.id)],
      ['code', approval.code],
      ...subjectFields(approval),
      ['decide by', reader.time(approval.expires_at)],
      ['asked by', requesterText(approval)],
      ...(approval.thread === '' ? [] : [['thread', approval.thread] as [string, string]]),
    ];
    return [approvalOutcome(approval), ...rows.map(([label, value]) => `  ${label.padEnd(9)} ${safeLine(value)}`)].join(
      '\n',
    );
  });
}

/**
 * Waits for approvals, and shows their progress and outcomes. Shows a single approval as `resume` does, and several
 * approvals as a list.
 * @returns the exit code
 */
export async function waitAndShowApprovals(context: Context, ids: readonly string[]): Promise<number> {
  const [only] = ids;
  return only !== undefined && ids.length === 1 ? showOne(context, only) : showAll(context, ids);
}

async function showOne(context: Context, id: string): Promise<number> {
  const wait = await waitForApproval(context, id);
  if (wait.kind === 'run') return showRun(context, wait.events);
  await printApproval(context, await wait.follow(await createApprovalListener(context)));
  return exitCodes.done;
}

async function showAll(context: Context, ids: readonly string[]): Promise<number> {
  const { io, output, clock } = context;
  const { phone } = await context.profile();
  const renderers = new Map<string, RunRenderer>();
  const rendererOf = (thread: string) => {
    const made = renderers.get(thread) ?? new RunRenderer(io, clock, { format: output.format, phone });
    renderers.set(thread, made);
    return made;
  };
  const runs = await waitForApprovals(context, ids, (thread, event) => {
    output.event({ thread, ...event });
    // Does not show answers, because those of several threads would interleave. The summary shows the orders.
    if (output.format !== 'stream-json' && event.type !== 'text') rendererOf(thread).show(event);
  });
  await output.result('runs', { runs }, () =>
    runs.length === 0 ? 'No approval is pending.' : runs.map(summary).join('\n'),
  );
  if (output.format === 'text') printPending(context, runs);
  return exitCodeForRuns(runs);
}

function summary({ thread, status, orders, messages, error }: RunOutput): string {
  const what = orders.map(({ side, qty, symbol, status: at }) => `${side} ${qty ?? ''} ${symbol}: ${at}`);
  const told = messages.map((message) => `sent: ${describeMessage(message)}`);
  const why = error === undefined ? [] : [safeLine(error.message)];
  return [`${thread}  ${status}`, ...what, ...told, ...why].join(' · ');
}

function printPending({ io, profileOptions }: Context, runs: readonly RunOutput[]): void {
  for (const { thread, status } of runs) {
    if (status !== 'pending' && status !== 'unknown') continue;
    io.talk(`still ${status}; resume with: ${formatResumeCommand(thread, profileOptions)}`);
  }
}
