import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { portfolioFigures } from '../../../app/portfolio/portfolio-figures.ts';
import { portfolioView } from '../../../trading/portfolio/portfolio-view.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

export function addPortfolioCommand(program: Command, cli: Cli): void {
  program
    .command('portfolio')
    .description('show your account and positions')
    .option('--watch', 'keep it on the screen, with prices and fills as they come; q leaves')
    .addHelpText(
      'after',
      examples([
        ['trade-agent portfolio', 'value, cash and positions'],
        ['trade-agent portfolio --watch', 'live'],
        ['trade-agent portfolio --output json | jq -r .account.equity', 'for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action(({ watch }: { watch?: boolean }, command: Command) =>
      runCommand(cli, command, async (context) => {
        if (watch !== true) return portfolio(context);
        const { watchPortfolio } = await import('../../live/watch-portfolio.ts');
        await watchPortfolio(context);
      }),
    );
}

/** Little lines are one request each; the largest positions get them. */
const MOST_LINES = 20;

async function portfolio(context: Context): Promise<void> {
  const { io, output } = context;
  // A drawing is for a person's eyes.
  const lines = io.stdoutIsTty && output.format === 'text' ? MOST_LINES : 0;
  const { account, positions, history } = await portfolioFigures(context, { lines });
  await output.result('portfolio', { account, positions }, async () => {
    const { portfolioTable } = await import('../../text/portfolio-table.ts');
    return portfolioTable(portfolioView(account, positions, history), {
      columns: io.stdoutIsTty ? io.width() : Number.POSITIVE_INFINITY,
      unicode: io.unicode,
      paint: await context.paint(),
    });
  });
}
