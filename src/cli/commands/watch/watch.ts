import { sessionExits } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addWatchCommand(program: CliCommand): void {
  program
    .command('watch')
    .summary('show prices as they move')
    .description(
      "Shows prices as they move, on the whole terminal; q leaves. What is no longer the market's price says so.",
    )
    .argument('<symbols...>', 'such as AAPL or BRK.B')
    .examples(
      ['trade-agent watch AAPL MSFT', 'two rows, again every two seconds'],
      ['trade-agent portfolio --watch', 'your own positions, and fills as they come'],
    )
    .exits(...sessionExits)
    .runs(watch);
}

async function watch(context: Context, symbols: readonly string[]): Promise<void> {
  const { watchQuotes } = await import('../../live/watch-quotes.ts');
  const wanted = symbols.flatMap((text) => text.toUpperCase().split(',')).filter((text) => text !== '');
  await watchQuotes(context, [...new Set(wanted)]);
}
