import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { openGatewayWithImportedActivities } from '../../../app/portfolio/account-history.ts';
import { readPeriodActivities } from '../../../tools/get-activities.ts';
import { type Activity, activityKinds } from '../../../trading/activity.ts';
import { type Period, periods } from '../../../trading/period.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createChoiceOption, parseListLimit } from '../../options/choice.ts';

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
      createChoiceOption(
        '--period <period>',
        'how far back; MTD and YTD mean this month and this year',
        periods,
      ).default('1M'),
    )
    .addOption(createChoiceOption('--kind <kind>', 'only this kind', activityKinds))
    .option('--limit <n>', 'maximum number of results', parseListLimit, 50)
    .examples(
      ['trade-agent activities --kind fill', 'the trades of the last month'],
      ['trade-agent activities --kind dividend --period YTD --output json', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, { period, kind, limit }: ActivityOptions) => {
      const kinds = kind === undefined ? undefined : [kind];
      const found = await readPeriodActivities(await openGatewayWithImportedActivities(context), {
        period,
        kinds,
        limit,
      });
      await context.output.result('activities', { ...found }, async () =>
        (await import('../../text/data-lists.ts')).activitiesText(found),
      );
    });
}
