import { Option } from 'commander';
import { approvalExitCodes } from '../../../app/exit-codes.ts';
import { haltTrading, liftHalt } from '../../../app/halt.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

interface HaltOptions {
  readonly lift?: boolean;
  readonly reducing?: boolean;
}

export function addHaltCommand(program: CliCommand): void {
  program
    .command('halt')
    .summary('halt all trading, or resume it')
    .description(
      'Halt all trading at the gateway: nothing is executed, no matter who proposed it, and pending approvals are withdrawn. You can still cancel orders; orders at the broker stay open. With --reducing, you can only sell what you hold. --lift asks on your phone to resume trading.',
    )
    .addOption(
      new Option('--reducing', 'only stop trades that increase positions; does not lift a halt').conflicts('lift'),
    )
    .option('--lift', 'resume trading (needs your approval)')
    .examples(
      ['trade-agent halt', 'immediately, for all programs'],
      ['trade-agent halt --reducing', 'stops purchases; sales are still allowed'],
      ['trade-agent halt --lift', 'resumes trading once you approve'],
    )
    .exits(...approvalExitCodes)
    .runs((context, options: HaltOptions) =>
      options.lift === true ? showLift(context) : showHalt(context, options.reducing === true ? 'reducing' : 'halted'),
    );
}

async function showHalt(context: Context, wanted: 'halted' | 'reducing'): Promise<void> {
  const state = await haltTrading(context, wanted);
  await context.output.result('halt', { ...state }, () =>
    state.state === 'reducing'
      ? `REDUCE-ONLY since ${state.since ?? ''}: you can only sell what you hold.${formatUntil(state)}\nResume trading with: trade-agent halt --lift`
      : [
          `HALTED${state.halted_at === undefined ? '' : ` since ${state.halted_at}`}: nothing is executed, and pending approvals are withdrawn.`,
          'Orders at the broker stay open, see "trade-agent orders". Resume trading with: trade-agent halt --lift',
        ].join('\n'),
  );
}

async function showLift(context: Context): Promise<void> {
  const state = await liftHalt(context, 'halt --lift', async () =>
    (await import('../../run/approval-progress.ts')).createApprovalListener(context),
  );
  await context.output.result('halt', { ...state }, () =>
    state.halted
      ? 'Trading was halted again in the meantime.'
      : state.state === 'reducing'
        ? `You can still only reduce positions.${formatUntil(state)} Lift that restriction too with: trade-agent halt --lift`
        : 'Trading is active again.',
  );
}

function formatUntil({ until }: { readonly until?: string | undefined }): string {
  return until === undefined ? '' : ` This restriction ends automatically at ${until}.`;
}
