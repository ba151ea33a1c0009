import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { readPortfolio } from '../../../app/portfolio/read-portfolio.ts';
import { runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { Cli } from '../../surroundings.ts';

export function addPortfolioCommand(program: Command, cli: Cli): void {
  program
    .command('portfolio')
    .description('show your account and positions')
    .addHelpText(
      'after',
      examples([
        ['trade-agent portfolio', 'value, cash and positions'],
        ['trade-agent portfolio --output json | jq -r .account.equity', 'for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action((_options, command: Command) => runCommand(cli, command, portfolio));
}

async function portfolio(context: Context): Promise<void> {
  const { account, positions } = await readPortfolio(context);
  await context.output.result('portfolio', { account, positions }, async () => {
    const { portfolioText } = await import('../../text/reports.ts');
    return portfolioText(account, positions);
  });
}
