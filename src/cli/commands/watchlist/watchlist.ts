import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { changeWatchlist } from '../../../app/market.ts';
import type { Watchlist } from '../../../trading/market-news.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addWatchlistCommand(program: CliCommand): void {
  const watchlist = program
    .command('watchlist')
    .summary('manage your watchlist')
    .description(
      'List the symbols on your watchlist at your broker, and add or remove some. A change to the watchlist trades nothing and needs no approval.',
    )
    .examples(
      ['trade-agent watchlist', 'the symbols, in your order'],
      ['trade-agent watchlist add AAPL KO', 'adds both'],
      ['trade-agent watchlist list --output json | jq -r ".watchlist.symbols[]"', 'for scripts'],
    )
    .exits(...sessionExitCodes);
  watchlist
    .command('list', { isDefault: true })
    .description('list the symbols on your watchlist')
    .examples(['trade-agent watchlist list', 'in your order'])
    .exits(...sessionExitCodes)
    .runs(async (context) => print(context, await (await context.gateway()).watchlist()));
  const changes = [
    ['add', 'add symbols', 'existing symbols keep their place'],
    ['remove', 'remove symbols', 'missing symbols are ignored'],
  ] as const;
  for (const [change, description, note] of changes) {
    watchlist
      .command(change)
      .description(description)
      .argument('<symbols...>', 'such as AAPL or BRK.B, at most 20')
      .examples([`trade-agent watchlist ${change} AAPL KO`, note])
      .exits(...sessionExitCodes)
      .runs(async (context, typed: string[]) => {
        const symbols = typed.flatMap((text) => text.split(',')).filter((text) => text !== '');
        await print(context, await changeWatchlist(context, change, symbols));
      });
  }
}

async function print({ output }: Context, watchlist: Watchlist): Promise<void> {
  await output.result('watchlist', { watchlist }, async () =>
    (await import('../../text/data-lists.ts')).watchlistText(watchlist.symbols),
  );
}
