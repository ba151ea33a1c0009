import { sessionExitCodes } from '../../../app/exit-codes.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addWatchCommand(program: CliCommand): void {
  program
    .command('watch')
    .summary('show live prices')
    .description('Show live prices in full screen; press q to quit. Stale prices are marked.')
    .argument('<symbols...>', 'such as AAPL or BRK.B')
    .examples(
      ['trade-agent watch AAPL MSFT', 'two rows, updated every two seconds'],
      ['trade-agent portfolio --watch', 'your positions and fills'],
    )
    .exits(...sessionExitCodes)
    .runs(watch);
}

async function watch(context: Context, symbols: readonly string[]): Promise<void> {
  const { watchQuotes } = await import('../../live/watch-quotes.ts');
  const wanted = symbols.flatMap((text) => text.toUpperCase().split(',')).filter((text) => text !== '');
  await watchQuotes(context, [...new Set(wanted)]);
}
