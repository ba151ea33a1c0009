import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addClockCommand(program: Command, cli: Cli): void {
  program
    .command('clock')
    .description('say whether the market is open')
    .addHelpText(
      'after',
      examples([
        ['trade-agent clock', 'open or closed, and until when'],
        ['trade-agent clock --output json | jq .is_open', 'for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action((_options, command: Command) =>
      runCommand(cli, command, async (context) => {
        const clock = await (await context.gateway()).clock();
        await context.output.result('clock', { ...clock }, async () => {
          const { clockText } = await import('../../text/data-lists.ts');
          return clockText(clock);
        });
      }),
    );
}
