import type { Command } from 'commander';
import { type Cli, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { examples, exitCodes } from '../../options/help.ts';

export function addPortfolioCommand(program: Command, cli: Cli): void {
  program
    .command('portfolio')
    .description('show your account and positions')
    .addHelpText(
      'after',
      examples([
        ['trade-agent portfolio', 'value, cash and positions'],
        ['trade-agent portfolio --output json | jq -r .account.equity', 'for scripts'],
      ]) + exitCodes([4, 11]),
    )
    .action((_options, command: Command) => runCommand(cli, command, portfolio));
}

export async function portfolio(context: Context): Promise<void> {
  const gateway = await context.gateway();
  const [account, positions] = await Promise.all([gateway.account(), gateway.positions()]);
  await context.output.result('portfolio', { account, positions }, async () => {
    const { portfolioText } = await import('../../text/reports.ts');
    return portfolioText(account, positions);
  });
}
