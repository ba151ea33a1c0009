import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import { loadLatestQuotes } from '../../../app/market.ts';
import { safeLine } from '../../../text/sanitize.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addQuoteCommand(program: CliCommand): void {
  program
    .command('quote')
    .description('show the latest prices')
    .argument('<symbols...>', 'such as AAPL or BRK.B')
    .examples(
      ['trade-agent quote AAPL MSFT', 'one row each'],
      ['trade-agent quote AAPL --output json | jq -r ".quotes[0].last"', 'for scripts'],
      ['trade-agent quote AAPL MSFT --jq ".quotes[].last"', 'the same with the built-in jq'],
      ['trade-agent quote AAPL ZZZZQ', `available quotes; exits with ${exitCodes.found} if a symbol has none`],
    )
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(quote);
}

async function quote(context: Context, symbols: readonly string[]): Promise<number> {
  const wanted = symbols.flatMap((text) => text.split(',')).filter((text) => text !== '');
  const { quotes, missing } = await loadLatestQuotes(context, wanted);
  await context.output.result('quotes', { quotes, missing }, async () => {
    const { quotesText } = await import('../../text/reports.ts');
    const { io } = context;
    return quotesText(quotes, {
      ...(io.stdoutIsTty ? { width: io.width() } : {}),
      paint: await context.paint(),
    });
  });
  for (const { symbol, message } of missing) context.io.talk(safeLine(`no quote for ${symbol}: ${message}`));
  return missing.length === 0 ? exitCodes.done : exitCodes.found;
}
