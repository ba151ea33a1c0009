import { sessionExits } from '../../../app/exit-codes.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { tradingDaysFrom } from '../../../tools/get-calendar.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { dateOption } from '../../options/choice.ts';

/** The gateway's limit. */
const MOST_DAYS = 366;

interface CalendarOptions {
  readonly from?: string;
  readonly days: number;
}

export function addCalendarCommand(program: CliCommand): void {
  program
    .command('calendar')
    .description('list the days on which the market trades, with their hours in New York')
    .option('--from <date>', 'the first day, YYYY-MM-DD (default: today)', dateOption('--from'))
    .option('--days <n>', 'so many calendar days', parseDays, 14)
    .examples(
      ['trade-agent calendar', 'the next two weeks'],
      ['trade-agent calendar --from 2026-12-21 --days 14 --output json', 'the holidays, for scripts'],
    )
    .exits(...sessionExits)
    .runs(async (context, { from, days }: CalendarOptions) => {
      const found = await tradingDaysFrom(await context.gateway(), { start: from, days });
      await context.output.result('calendar', { ...found }, async () => {
        const { calendarText } = await import('../../text/data-lists.ts');
        return calendarText(found);
      });
    });
}

function parseDays(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= MOST_DAYS) return Number(text);
  throw new TradeAgentError('usage', `--days can't be "${text}"`, {
    hint: `Give a number from 1 to ${MOST_DAYS}.`,
  });
}
