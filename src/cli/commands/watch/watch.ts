import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import type { Cli } from '../../context/cli.ts';
import type { Context } from '../../context/context.ts';
import { runCommand } from '../../context/run-command.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addWatchCommand(program: Command, cli: Cli): void {
  program
    .command('watch')
    .summary('show prices as they move')
    .description(
      "Shows prices as they move, on the whole terminal; q leaves. What is no longer the market's price says so.",
    )
    .argument('<symbols...>', 'such as AAPL or BRK.B')
    .addHelpText(
      'after',
      examples([
        ['trade-agent watch AAPL MSFT', 'two rows, anew every two seconds'],
        ['trade-agent portfolio --watch', 'your own positions, and fills as they come'],
      ]) + exitCodes(sessionExits),
    )
    .action((symbols: string[], _options, command: Command) =>
      runCommand(cli, command, (context) => watch(context, symbols)),
    );
}

async function watch(context: Context, symbols: readonly string[]): Promise<void> {
  const { watchQuotes } = await import('../../live/watch-quotes.ts');
  const wanted = symbols.flatMap((text) => text.toUpperCase().split(',')).filter((text) => text !== '');
  await watchQuotes(context, [...new Set(wanted)]);
}
