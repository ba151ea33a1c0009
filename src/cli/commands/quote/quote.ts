import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { latestQuotes } from '../../../app/quote/latest-quotes.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

export function addQuoteCommand(program: Command, cli: Cli): void {
  program
    .command('quote')
    .description('show the latest prices')
    .argument('<symbols...>', 'such as AAPL or BRK.B')
    .addHelpText(
      'after',
      examples([
        ['trade-agent quote AAPL MSFT', 'one row each'],
        ['trade-agent quote AAPL --output json | jq -r ".quotes[0].last"', 'for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action((symbols: string[], _options, command: Command) =>
      runCommand(cli, command, (context) => quote(context, symbols)),
    );
}

async function quote(context: Context, symbols: readonly string[]): Promise<void> {
  const wanted = symbols.flatMap((text) => text.split(',')).filter((text) => text !== '');
  const quotes = await latestQuotes(context, wanted);
  await context.output.result('quotes', { quotes }, async () => {
    const { quotesText } = await import('../../text/reports.ts');
    const { io } = context;
    return quotesText(quotes, {
      ...(io.stdoutIsTty ? { width: io.width() } : {}),
      paint: await context.paint(),
    });
  });
}
