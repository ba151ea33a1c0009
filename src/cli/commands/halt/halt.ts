import type { Command } from 'commander';
import { askingExits } from '../../../app/exit-codes.ts';
import { halt, liftHalt } from '../../../app/halt/halt.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

interface HaltOptions {
  readonly lift?: boolean;
}

export function addHaltCommand(program: Command, cli: Cli): void {
  program
    .command('halt')
    .summary('stop all trading, or let it go on')
    .description(
      'Stops all trading at the gateway: nothing more is carried out, whoever proposed it, and what waits for your phone is withdrawn. Cancelling stays possible; orders at the broker stay there. --lift asks your phone to let trading go on.',
    )
    .option('--lift', 'let trading go on; your phone is asked')
    .addHelpText(
      'after',
      examples([
        ['trade-agent halt', 'at once, for every program that proposes'],
        ['trade-agent halt --lift', 'ends it, once you approve'],
      ]) + exitCodes(askingExits),
    )
    .action((options: HaltOptions, command: Command) =>
      runCommand(cli, command, (context) => (options.lift === true ? showLift(context) : showHalt(context))),
    );
}

async function showHalt(context: Context): Promise<void> {
  const state = await halt(context);
  await context.output.result('halt', { ...state }, () =>
    [
      `HALTED${state.halted_at === undefined ? '' : ` since ${state.halted_at}`}: nothing is carried out, and what waited for your phone is withdrawn.`,
      'Orders at the broker stay there: see "trade-agent orders". It ends with: trade-agent halt --lift',
    ].join('\n'),
  );
}

async function showLift(context: Context): Promise<void> {
  const state = await liftHalt(context, 'halt --lift', async () => {
    const { showAsking } = await import('../../run/asked-proposal.ts');
    return showAsking(context);
  });
  await context.output.result('halt', { ...state }, () =>
    state.halted ? 'Trading was halted again meanwhile.' : 'Trading goes on.',
  );
}
