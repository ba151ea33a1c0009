import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { heldLots } from '../../../app/portfolio/gains.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { examples, exitCodes } from '../../options/help.ts';
import { addLotOptions, type LotOptions } from '../../options/lot-method.ts';

export function addLotsCommand(program: Command, cli: Cli): void {
  addLotOptions(
    program
      .command('lots')
      .description('show the lots of what you hold: bought when, for how much, long-term from when'),
  )
    .addHelpText(
      'after',
      examples([
        ['trade-agent lots', 'what is left by first in, first out'],
        ['trade-agent lots --method highest --output csv', 'for a spreadsheet'],
      ]) + exitCodes(sessionExits),
    )
    .action(({ method, lots }: LotOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const found = await heldLots(context, { method, lots });
        await context.output.result('lots', { ...found }, async () => {
          const { lotsText } = await import('../../text/gains-text.ts');
          const { readerOf } = await import('../../text/reader.ts');
          return lotsText(found, readerOf(context.io));
        });
      }),
    );
}
