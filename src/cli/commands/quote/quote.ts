import type { Command } from 'commander';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

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
      ]) + exitCodes([4, 11]),
    )
    .action((symbols: string[], _options, command: Command) =>
      runCommand(cli, command, (context) => quote(context, symbols)),
    );
}

export async function quote(context: Context, symbols: readonly string[]): Promise<void> {
  const wanted = symbols.flatMap((text) => text.split(',')).filter((text) => text !== '');
  const parsed = await parseSymbols(wanted);
  const quotes = await (await context.gateway()).quotes(parsed);
  await context.output.result('quotes', { quotes }, async () => {
    const { quotesText } = await import('../../text/reports.ts');
    return quotesText(quotes);
  });
}

async function parseSymbols(symbols: readonly string[]): Promise<string[]> {
  const [{ symbolSchema }, { TradeAgentError }] = await Promise.all([
    import('../../../trading/order.ts'),
    import('../../../trading/errors.ts'),
  ]);
  return symbols.map((text) => {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) return symbol.data;
    throw new TradeAgentError('unknown_symbol', `"${text}" is not a ticker symbol`, {
      hint: 'Symbols look like AAPL or BRK.B.',
    });
  });
}
