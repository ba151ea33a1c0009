import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { loadLatestNews } from '../../../app/market.ts';
import { MAX_ARTICLES } from '../../../trading/market-news.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createCountParser } from '../../options/choice.ts';

export function addNewsCommand(program: CliCommand): void {
  program
    .command('news')
    .summary('show the latest news')
    .description('Show the latest articles from your broker, for all or some symbols, as published.')
    .argument('[symbols...]', 'such as AAPL or BRK.B')
    .option('--limit <n>', 'maximum number of articles', createCountParser(MAX_ARTICLES), 10)
    .examples(
      ['trade-agent news AAPL MSFT', 'about either of them'],
      ['trade-agent news --limit 3 --output json | jq -r ".news[].headline"', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, typed: string[], { limit }: { limit: number }) => {
      const symbols = typed.flatMap((text) => text.split(',')).filter((text) => text !== '');
      const news = await loadLatestNews(context, { symbols, limit });
      const simulated = news.some((article) => article.simulated);
      await context.output.result('news', { news, simulated }, async () =>
        (await import('../../text/data-lists.ts')).newsText(news, context.io.width()),
      );
    });
}
