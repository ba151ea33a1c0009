import type { ApprovalView } from '../../../agent/events.ts';
import { cancelApproval, findApproval, listApprovals, reconcileApprovals } from '../../../app/approvals/approvals.ts';
import { approvalExitCodes, exitCodes, runExitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { toAudience } from '../../text/audience.ts';
import { printApproval } from './print-approval.ts';

export function addApprovalsCommand(program: CliCommand): void {
  const approvals = program
    .command('approvals')
    .summary('list and manage approval requests and their outcomes')
    .description(
      'List approval requests from this and other programs, show or withdraw a request, wait for requests, or look up unknown outcomes. The gateway executes what you approve, even if no program is running here.',
    )
    .examples(
      ['trade-agent approvals', 'all approvals, newest first'],
      ['trade-agent approvals wait ID --timeout 5m', 'wait for its outcome'],
      ['trade-agent approvals wait', 'wait for all pending approvals'],
      ['trade-agent approvals reconcile', 'look up unknown outcomes'],
      ['trade-agent approvals cancel ID', 'withdraw it, also from the phone'],
    )
    .exits(...approvalExitCodes, exitCodes.pending);
  approvals
    .command('list', { isDefault: true })
    .description('list approvals, newest first')
    .examples(['trade-agent approvals list --output json', 'for scripts'])
    .exits(...sessionExitCodes)
    .runs(showApprovals);
  approvals
    .command('show')
    .description('show one approval with all fields of its order')
    .argument('<id>', 'the ID from "approvals list", or a unique prefix')
    .examples(['trade-agent approvals show pr_7f3k2m9x', 'the phone must show the same'])
    .exits(...sessionExitCodes)
    .runs(async (context, id: string) => printApproval(context, await findApproval(context, id)));
  approvals
    .command('wait')
    .summary('wait for approvals and resume their threads')
    .description(
      'Wait for the given approvals (default: all pending approvals), and resume each thread when its approval is decided. With one ID, prints the same result as "resume"; otherwise, prints a list of such results ("trade-agent.runs/1").',
    )
    .argument('[id...]', 'IDs of approvals (default: all pending approvals)')
    .examples(
      ['trade-agent approvals wait pr_7f3k2m9x --timeout 5m', 'one approval'],
      ['trade-agent approvals wait --output json', 'all pending approvals'],
    )
    .exits(...runExitCodes)
    .runs(async (context, ids: string[]) => (await import('./print-approval.ts')).waitAndShowApprovals(context, ids));
  approvals
    .command('reconcile')
    .summary('look up approvals with an unknown outcome')
    .description(
      `Look up each order that is executing or whose outcome is unknown; the gateway checks with the broker. Exits with ${exitCodes.unknown} while an outcome is unknown.`,
    )
    .argument('[id]', 'ID of an approval (default: all of yours)')
    .examples(
      ['trade-agent approvals reconcile', ''],
      ['trade-agent approvals reconcile pr_7f3k2m9x --output json', ''],
    )
    .exits(...sessionExitCodes, exitCodes.unknown)
    .runs(showReconciled);
  approvals
    .command('cancel')
    .description('withdraw an approval request, so that nothing is ordered')
    .argument('<id>', 'the ID from "approvals list", or a unique prefix')
    .examples(['trade-agent approvals cancel pr_7f3k2m9x', 'the request disappears from the phone'])
    .exits(...sessionExitCodes, exitCodes.unknown)
    .runs(async (context, id: string) => printApproval(context, await cancelApproval(context, id)));
}

async function showApprovals(context: Context): Promise<void> {
  const approvals = await listApprovals(context);
  await context.output.result('approvals', { approvals }, async () => {
    if (approvals.length === 0) return 'No approvals.';
    const { approvalsText } = await import('../../text/lists.ts');
    return approvalsText(approvals, toAudience(context.io));
  });
}

async function showReconciled(context: Context, id: string | undefined): Promise<number> {
  const { approvals, unknown } = await reconcileApprovals(context, id);
  await context.output.result('reconciled', { approvals, unknown }, async () => {
    if (approvals.length === 0) return 'No approval has an unknown outcome.';
    const { approvalOutcome } = await import('../../text/approval-lines.ts');
    const short = toAudience(context.io).ids(approvals.map((approval) => approval.id));
    return approvals.map((approval) => `${short(approval.id)}  ${approvalOutcome(approval)}`).join('\n');
  });
  if (context.output.format === 'text') await printResumeCommands(context, approvals);
  return unknown === 0 ? exitCodes.done : exitCodes.unknown;
}

/** Prints the commands that resume the conversations, which learn the outcomes only when they are resumed. */
async function printResumeCommands(context: Context, approvals: readonly ApprovalView[]): Promise<void> {
  const { formatResumeCommand } = await import('../../../app/run.ts');
  for (const thread of new Set(approvals.map((approval) => approval.thread).filter((id) => id !== ''))) {
    context.io.talk(`resume with: ${formatResumeCommand(thread, context.profileOptions)}`);
  }
}
