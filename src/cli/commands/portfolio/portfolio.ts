import { exitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import {
  type CombinedPortfolio,
  loadCombinedPortfolio,
  loadPortfolioSummary,
} from '../../../app/portfolio/portfolio.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { buildPortfolioView } from '../../../trading/portfolio/portfolio-view.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';

export function addPortfolioCommand(program: CliCommand): void {
  program
    .command('portfolio')
    .description('show your account and positions, with a total if you have several accounts')
    .option('--watch', 'show live prices and fills; press q to quit')
    .examples(
      ['trade-agent portfolio', 'value, cash and positions'],
      ['trade-agent portfolio --account ibkr', 'one of several accounts'],
      ['trade-agent portfolio --watch', 'live'],
      ['trade-agent portfolio --watch --account all', 'all your accounts, with a total'],
      ['trade-agent portfolio --output json | jq -r .account.equity', 'for scripts'],
    )
    .exits(...sessionExitCodes, exitCodes.found)
    .runs(async (context, { watch }: { watch?: boolean }) => {
      if (watch !== true) return portfolio(context);
      const { watchPortfolio } = await import('../../live/watch-portfolio.ts');
      await watchPortfolio(context);
      return exitCodes.done;
    });
}

const MAX_SPARKLINES = 20;

/** Prints the portfolio, or the portfolios of all accounts. Returns {@link exits.found} if an account can't be read. */
async function portfolio(context: Context): Promise<number> {
  const { io, output } = context;
  const across = await loadCombinedPortfolio(context);
  if (across !== undefined) return await portfolios(context, across);
  // Requests sparklines only for people, because programs don't need them.
  const lines = io.stdoutIsTty && output.format === 'text' ? MAX_SPARKLINES : 0;
  const { account, positions, history } = await loadPortfolioSummary(context, { lines });
  await output.result('portfolio', { account, positions }, async () => {
    const { portfolioTable } = await import('../../text/portfolio-table.ts');
    return portfolioTable(buildPortfolioView(account, positions, history), {
      columns: io.stdoutIsTty ? io.width() : Number.POSITIVE_INFINITY,
      unicode: io.unicode,
      paint: await context.paint(),
    });
  });
  return exitCodes.done;
}

async function portfolios(context: Context, across: CombinedPortfolio): Promise<number> {
  const { io, output } = context;
  await output.result('portfolios', { ...across }, async () => {
    const { portfoliosTable } = await import('../../text/portfolios-table.ts');
    return portfoliosTable(across, {
      columns: io.stdoutIsTty ? io.width() : Number.POSITIVE_INFINITY,
      unicode: io.unicode,
      paint: await context.paint(),
    });
  });
  for (const { label, message } of across.missing) {
    io.talk(safeLine(`${label} could not be read and is missing from the totals: ${message}`));
  }
  return across.missing.length === 0 ? exitCodes.done : exitCodes.found;
}
