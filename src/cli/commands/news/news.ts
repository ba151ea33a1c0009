import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { latestNews } from '../../../app/market.ts';
import { MOST_ARTICLES } from '../../../trading/market-news.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { limitUpTo } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addNewsCommand(program: Command, cli: Cli): void {
  program
    .command('news')
    .summary('show the latest news')
    .description(
      'Shows the newest articles your broker has, of all symbols or of those you name. The words are those of their publishers.',
    )
    .argument('[symbols...]', 'such as AAPL or BRK.B')
    .option('--limit <n>', 'at most this many', limitUpTo(MOST_ARTICLES), 10)
    .addHelpText(
      'after',
      examples([
        ['trade-agent news AAPL MSFT', 'about either of them'],
        ['trade-agent news --limit 3 --output json | jq -r ".news[].headline"', 'for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action((typed: string[], { limit }: { limit: number }, command: Command) =>
      runCommand(cli, command, async (context) => {
        const symbols = typed.flatMap((text) => text.split(',')).filter((text) => text !== '');
        const news = await latestNews(context, { symbols, limit });
        const simulated = news.some((article) => article.simulated);
        await context.output.result('news', { news, simulated }, async () => {
          const { newsText } = await import('../../text/data-lists.ts');
          return newsText(news, context.io.width());
        });
      }),
    );
}
