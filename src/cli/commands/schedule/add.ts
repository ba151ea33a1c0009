import type { AddScheduleOptions } from '../../../app/schedule/schedule-context.ts';
import { addSchedule } from '../../../app/schedule/schedules.ts';
import type { Schedule } from '../../../schedule/schedule.ts';
import type { Context } from '../../context/context.ts';
import { confirmOrFail } from '../../terminal/questions.ts';
import { scheduleText, toScheduleView } from './schedule-view.ts';

/** Adds a schedule and shows it. @param sure whether to skip the prompt */
export async function addScheduleAndShow(context: Context, options: AddScheduleOptions, sure: boolean): Promise<void> {
  const { dryRun = false } = options;
  const state = await addSchedule(
    context,
    options,
    async (schedule) => sure || confirmSchedulerEntry(context, schedule),
  );
  const { entry } = state.schedule;
  const view = toScheduleView(state);
  await context.output.result('schedule', { schedule: view, written: entry, dry_run: dryRun }, () =>
    [...(dryRun ? ['Would write:', entryText(entry), ''] : []), scheduleText(view)].join('\n'),
  );
}

/** Asks whether to add the crontab line or timer. @throws {TradeAgentError} `usage` if there is no terminal */
export async function confirmSchedulerEntry(context: Context, { entry }: Schedule): Promise<boolean> {
  return confirmOrFail(context, {
    message: 'adding a schedule changes your crontab, systemd timers or launchd agents',
    hint: 'Preview it with --dry-run. Pass --yes to skip the prompt.',
    shown: entryText(entry),
    question: 'Write this?',
  });
}

function entryText(entry: Schedule['entry']): string {
  return entry
    .map(({ file, text }) => `${file === null ? 'At the end of your crontab:' : `${file}:`}\n${text.trimEnd()}`)
    .join('\n\n');
}
