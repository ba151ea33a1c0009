import type { ApprovalView } from '../../../agent/events.ts';
import { cancelApproval, findApproval, listApprovals, reconcile } from '../../../app/approvals/approvals.ts';
import { askingExits, exits, runExits, sessionExits } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { readerOf } from '../../text/reader.ts';
import { printApproval } from './print-approval.ts';

export function addApprovalsCommand(program: CliCommand): void {
  const approvals = program
    .command('approvals')
    .summary('what was asked of your phone, and what came of it')
    .description(
      'Lists what was proposed to your phone, by this program or another, shows one, waits for some, takes one back, or asks what became of those of unknown outcome. The gateway carries out what you approve, whether or not anything here is running.',
    )
    .examples(
      ['trade-agent approvals', 'all of them, newest first'],
      ['trade-agent approvals wait ID --timeout 5m', 'waits, and tells what became of it'],
      ['trade-agent approvals wait', 'for all that are pending, in whatever order they come'],
      ['trade-agent approvals reconcile', 'asks what became of those of unknown outcome'],
      ['trade-agent approvals cancel ID', 'no order; it goes from the phone too'],
    )
    .exits(...askingExits, exits.pending);
  approvals
    .command('list', { isDefault: true })
    .description('list approvals, newest first')
    .examples(['trade-agent approvals list --output json', 'for scripts'])
    .exits(...sessionExits)
    .runs(showApprovals);
  approvals
    .command('show')
    .description('show one approval with every field of its order')
    .argument('<id>', 'as "approvals list" shows it, or how it begins')
    .examples(['trade-agent approvals show pr_7f3k2m9x', 'what the phone must show too'])
    .exits(...sessionExits)
    .runs(async (context, id: string) => printApproval(context, await findApproval(context, id)));
  approvals
    .command('wait')
    .summary('wait for approvals and go on with their threads')
    .description(
      'Waits for the approvals named, or for all that are pending, and goes on with their threads as each is decided. With one it prints what "resume" prints; with several or none named, a list of that ("trade-agent.runs/1").',
    )
    .argument('[id...]', 'which ones (default: all that are pending)')
    .examples(
      ['trade-agent approvals wait pr_7f3k2m9x --timeout 5m', 'one'],
      ['trade-agent approvals wait --output json', 'all that are pending'],
    )
    .exits(...runExits)
    .runs(async (context, ids: string[]) => (await import('./print-approval.ts')).showWait(context, ids));
  approvals
    .command('reconcile')
    .summary('settle approvals whose outcome is unknown')
    .description(
      `Asks the gateway what became of each order that is on its way (executing, unknown); it asks the broker. Exits ${exits.unknown} while one stays unknown.`,
    )
    .argument('[id]', 'one approval (default: all of yours)')
    .examples(
      ['trade-agent approvals reconcile', ''],
      ['trade-agent approvals reconcile pr_7f3k2m9x --output json', ''],
    )
    .exits(...sessionExits, exits.unknown)
    .runs(showReconciled);
  approvals
    .command('cancel')
    .description('take an approval back; no order comes of it')
    .argument('<id>', 'as "approvals list" shows it, or how it begins')
    .examples(['trade-agent approvals cancel pr_7f3k2m9x', 'the phone shows it no more'])
    .exits(...sessionExits, exits.unknown)
    .runs(async (context, id: string) => printApproval(context, await cancelApproval(context, id)));
}

async function showApprovals(context: Context): Promise<void> {
  const approvals = await listApprovals(context);
  await context.output.result('approvals', { approvals }, async () => {
    if (approvals.length === 0) return 'No approvals.';
    const { approvalsText } = await import('../../text/lists.ts');
    return approvalsText(approvals, readerOf(context.io));
  });
}

async function showReconciled(context: Context, id: string | undefined): Promise<number> {
  const { approvals, unknown } = await reconcile(context, id);
  await context.output.result('reconciled', { approvals, unknown }, async () => {
    if (approvals.length === 0) return 'No approval is of unknown outcome.';
    const { approvalOutcome } = await import('../../text/approval-lines.ts');
    const short = readerOf(context.io).ids(approvals.map((approval) => approval.id));
    return approvals.map((approval) => `${short(approval.id)}  ${approvalOutcome(approval)}`).join('\n');
  });
  if (context.output.format === 'text') await sayHowToGoOn(context, approvals);
  return unknown === 0 ? exits.done : exits.unknown;
}

/** The conversations learn of it when they are resumed. */
async function sayHowToGoOn(context: Context, approvals: readonly ApprovalView[]): Promise<void> {
  const { resumeCommand } = await import('../../../app/run.ts');
  for (const thread of new Set(approvals.map((approval) => approval.thread).filter((id) => id !== ''))) {
    context.io.talk(`go on with: ${resumeCommand(thread, context.chosenBy)}`);
  }
}
