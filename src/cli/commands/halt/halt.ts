import { Option } from 'commander';
import { askingExits } from '../../../app/exit-codes.ts';
import { halt, liftHalt } from '../../../app/halt.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

interface HaltOptions {
  readonly lift?: boolean;
  readonly reducing?: boolean;
}

export function addHaltCommand(program: CliCommand): void {
  program
    .command('halt')
    .summary('stop all trading, or let it go on')
    .description(
      'Stops all trading at the gateway: nothing more is carried out, whoever proposed it, and what waits for your phone is withdrawn. Cancelling stays possible; orders at the broker stay there. With --reducing nothing is bought any more, and no more sold than is held. --lift asks your phone to let trading go on.',
    )
    .addOption(
      new Option('--reducing', 'stop only what makes positions larger; a halt stays one').conflicts('lift'),
    )
    .option('--lift', 'let trading go on; your phone is asked')
    .examples(
      ['trade-agent halt', 'at once, for every program that proposes'],
      ['trade-agent halt --reducing', 'nothing is bought any more; selling goes on'],
      ['trade-agent halt --lift', 'ends it, once you approve'],
    )
    .exits(...askingExits)
    .runs((context, options: HaltOptions) =>
      options.lift === true
        ? showLift(context)
        : showHalt(context, options.reducing === true ? 'reducing' : 'halted'),
    );
}

async function showHalt(context: Context, wanted: 'halted' | 'reducing'): Promise<void> {
  const state = await halt(context, wanted);
  await context.output.result('halt', { ...state }, () =>
    state.state === 'reducing'
      ? `REDUCING ONLY since ${state.since ?? ''}: nothing is bought, and no more sold than is held.${untilText(state)}\nIt ends with: trade-agent halt --lift`
      : [
          `HALTED${state.halted_at === undefined ? '' : ` since ${state.halted_at}`}: nothing is carried out, and what waited for your phone is withdrawn.`,
          'Orders at the broker stay there: see "trade-agent orders". It ends with: trade-agent halt --lift',
        ].join('\n'),
  );
}

async function showLift(context: Context): Promise<void> {
  const state = await liftHalt(context, 'halt --lift', async () =>
    (await import('../../run/asked-proposal.ts')).showAsking(context),
  );
  await context.output.result('halt', { ...state }, () =>
    state.halted
      ? 'Trading was halted again meanwhile.'
      : state.state === 'reducing'
        ? `Positions may still only be made smaller.${untilText(state)} To end that too: trade-agent halt --lift`
        : 'Trading goes on.',
  );
}

function untilText({ until }: { readonly until?: string | undefined }): string {
  return until === undefined ? '' : ` It ends by itself at ${until}.`;
}
