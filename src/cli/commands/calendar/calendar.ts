import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { readTradingDays } from '../../../tools/get-calendar.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createCountParser, createDateParser } from '../../options/choice.ts';

const MAX_DAYS = 366;

export function addCalendarCommand(program: CliCommand): void {
  program
    .command('calendar')
    .description('list trading days with their hours in New York time')
    .option('--from <date>', 'the first day, YYYY-MM-DD (default: today)', createDateParser('--from'))
    .option('--days <n>', 'number of calendar days', createCountParser(MAX_DAYS, '--days'), 14)
    .examples(
      ['trade-agent calendar', 'the next two weeks'],
      ['trade-agent calendar --from 2026-12-21 --days 14 --output json', 'the holidays, for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, { from, days }: { from?: string; days: number }) => {
      const found = await readTradingDays(await context.gateway(), { start: from, days });
      await context.output.result('calendar', { ...found }, async () =>
        (await import('../../text/data-lists.ts')).calendarText(found),
      );
    });
}
