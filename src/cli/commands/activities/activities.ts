import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { gatewayWithImported } from '../../../app/portfolio/account-history.ts';
import { readPeriodActivities } from '../../../tools/get-activities.ts';
import { type Activity, activityKinds } from '../../../trading/activity.ts';
import { type Period, periods } from '../../../trading/period.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption, parseLimit } from '../../options/choice.ts';

interface ActivityOptions {
  readonly period: Period;
  readonly kind?: Activity['kind'];
  readonly limit: number;
}

export function addActivitiesCommand(program: CliCommand): void {
  program
    .command('activities')
    .description('list account activity: trades, deposits, dividends, fees')
    .addOption(
      choiceOption('--period <period>', 'how far back; MTD and YTD mean this month and this year', periods).default(
        '1M',
      ),
    )
    .addOption(choiceOption('--kind <kind>', 'only this kind', activityKinds))
    .option('--limit <n>', 'maximum number of results', parseLimit, 50)
    .examples(
      ['trade-agent activities --kind fill', 'the trades of the last month'],
      ['trade-agent activities --kind dividend --period YTD --output json', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, { period, kind, limit }: ActivityOptions) => {
      const kinds = kind === undefined ? undefined : [kind];
      const found = await readPeriodActivities(await gatewayWithImported(context), { period, kinds, limit });
      await context.output.result('activities', { ...found }, async () =>
        (await import('../../text/data-lists.ts')).activitiesText(found),
      );
    });
}
