import type { Command } from 'commander';
import type { ApprovalView } from '../../agent/events.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { type Cli, runCommand } from '../cli.ts';
import type { Context } from '../context.ts';
import { parseDuration } from '../duration.ts';
import { examples, exitCodes } from '../help.ts';

export function addApprovalsCommand(program: Command, cli: Cli): void {
  const approvals = program
    .command('approvals')
    .summary('what was asked of your phone, and what came of it')
    .description('Lists approvals, shows one, waits for one, or takes one back.')
    .addHelpText(
      'after',
      examples([
        ['trade-agent approvals', 'all of them, newest first'],
        ['trade-agent approvals wait ID --timeout 5m', 'waits, and places the order once approved'],
        ['trade-agent approvals cancel ID', 'no order, even if approved later'],
      ]) + exitCodes([4, 5, 6, 7, 8, 10, 11, 124]),
    );
  approvals
    .command('list', { isDefault: true })
    .description('list approvals')
    .action((_options, command: Command) => runCommand(cli, command, listApprovals));
  approvals
    .command('show')
    .description('show one approval with every field of its order')
    .argument('<id>')
    .action((id: string, _options, command: Command) =>
      runCommand(cli, command, (context) => showApproval(context, id)),
    );
  approvals
    .command('wait')
    .description('wait for an approval and go on with its thread')
    .argument('<id>')
    .option('--timeout <duration>', 'stop waiting after 90s, 5m, 1h', parseDuration)
    .action((id: string, options: { timeout?: number }, command: Command) =>
      runCommand(cli, command, (context) => waitForApproval(context, id, options)),
    );
  approvals
    .command('cancel')
    .description('take an approval back; no order comes of it')
    .argument('<id>')
    .action((id: string, _options, command: Command) =>
      runCommand(cli, command, (context) => cancelApproval(context, id)),
    );
}

async function listApprovals(context: Context): Promise<void> {
  const approvals = await (await context.agent({})).approvals();
  await context.output.result('approvals', { approvals }, async () => {
    if (approvals.length === 0) return 'No approvals.';
    const [{ table }, { orderHeadline }, { approvalStatusText }] = await Promise.all([
      import('../text/table.ts'),
      import('../text/order-fields.ts'),
      import('../text/approval-lines.ts'),
    ]);
    return table<ApprovalView>(
      [
        { head: 'ID', cell: ({ id }) => id },
        { head: 'CODE', cell: ({ code }) => code },
        { head: 'ORDER', cell: ({ order }) => orderHeadline(order) },
        { head: 'STATUS', cell: ({ status }) => `${status} (${approvalStatusText[status]})` },
        { head: 'EXPIRES', cell: ({ expires_at }) => expires_at },
        { head: 'THREAD', cell: ({ thread }) => thread },
      ],
      approvals,
    );
  });
}

async function showApproval(context: Context, id: string): Promise<void> {
  await printApproval(context, await findApproval(context, id));
}

async function cancelApproval(context: Context, id: string): Promise<void> {
  await findApproval(context, id);
  await printApproval(context, await (await context.agent({})).cancelApproval(id));
}

async function waitForApproval(context: Context, id: string, options: { timeout?: number }): Promise<number> {
  if (options.timeout !== undefined) context.interruption.limit(options.timeout);
  const { thread } = await findApproval(context, id);
  const { driveRun } = await import('../drive-run.ts');
  const agent = await context.agent({});
  return driveRun(context, agent.resume(thread, { approval: 'wait', signal: context.signal }));
}

async function findApproval(context: Context, id: string): Promise<ApprovalView> {
  const approval = await (await context.agent({})).approval(id);
  if (approval !== undefined) return approval;
  throw new TradeAgentError('not_found', `there is no approval "${id}"`, {
    hint: 'List them with "trade-agent approvals".',
  });
}

async function printApproval(context: Context, approval: ApprovalView): Promise<void> {
  await context.output.result('approval', { approval }, async () => {
    const [{ orderFields }, { approvalOutcome }] = await Promise.all([
      import('../text/order-fields.ts'),
      import('../text/approval-lines.ts'),
    ]);
    const rows: [string, string][] = [
      ['approval', approval.id],
      ['code', approval.code],
      ...orderFields(approval.order),
      ['expires', approval.expires_at],
      ['thread', approval.thread],
    ];
    return [approvalOutcome(approval), ...rows.map(([label, value]) => `  ${label.padEnd(9)} ${value}`)].join(
      '\n',
    );
  });
}
