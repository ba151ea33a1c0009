import type { Command } from 'commander';
import { sessionExits } from '../../../app/exit-codes.ts';
import { gatewayWithImported } from '../../../app/portfolio/account-history.ts';
import { activitiesIn } from '../../../tools/get-activities.ts';
import { type Activity, activityKinds } from '../../../trading/activity.ts';
import { type Period, periods } from '../../../trading/period.ts';
import type { Cli } from '../../context/cli.ts';
import { runCommand } from '../../context/run-command.ts';
import { choiceOption, parseLimit } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';

interface ActivityOptions {
  readonly period: Period;
  readonly kind?: Activity['kind'];
  readonly limit: number;
}

export function addActivitiesCommand(program: Command, cli: Cli): void {
  program
    .command('activities')
    .description('list what changed the account: trades, deposits, dividends, fees')
    .addOption(
      choiceOption('--period <period>', 'how far back; MTD and YTD: this month and year', periods).default(
        '1M',
      ),
    )
    .addOption(choiceOption('--kind <kind>', 'only these', activityKinds))
    .option('--limit <n>', 'at most this many', parseLimit, 50)
    .addHelpText(
      'after',
      examples([
        ['trade-agent activities --kind fill', 'the trades of the last month'],
        ['trade-agent activities --kind dividend --period YTD --output json', 'for scripts'],
      ]) + exitCodes(sessionExits),
    )
    .action(({ period, kind, limit }: ActivityOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const kinds = kind === undefined ? undefined : [kind];
        const found = await activitiesIn(await gatewayWithImported(context), { period, kinds, limit });
        await context.output.result('activities', { ...found }, async () => {
          const { activitiesText } = await import('../../text/data-lists.ts');
          return activitiesText(found);
        });
      }),
    );
}
