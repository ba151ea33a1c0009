import { exitCodes, runExitCodes, sessionExitCodes } from '../../../app/exit-codes.ts';
import type { AddScheduleOptions } from '../../../app/schedule/schedule-context.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { schedulerNames } from '../../../schedule/scheduler-names.ts';
import type { GlobalOptions } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { createChoiceOption, createCountParser } from '../../options/choice.ts';
import { toAudience } from '../../text/audience.ts';

const parseLimit = createCountParser(99_999, '--limit', 'Choose a number from 1 to 99999.');

/**
 * Exit codes of a scheduled check. They don't include the code for a closed market, because skipping a check while the
 * market is closed is not a failure.
 */
const checkExits = [...runExitCodes.filter((code) => code !== exitCodes.marketClosed), exitCodes.found];

export function addScheduleCommand(program: CliCommand): void {
  const schedule = program
    .command('schedule')
    .summary('run checks with cron, systemd or launchd')
    .description(
      'Run checks on this machine at set times, in exchange time (New York), whatever the local time zone. One run makes up for all missed runs.',
    )
    .examples(
      ['trade-agent schedule add --at close-30m --rules rules.yaml', 'half an hour before each close'],
      ['trade-agent schedule list', 'all schedules and their next runs'],
      ['trade-agent schedule logs', 'results of the last runs'],
    )
    .exits(...checkExits);
  addAddCommand(schedule);
  schedule
    .command('list', { isDefault: true })
    .description('list schedules with their next run and last result')
    .examples(['trade-agent schedule list --output json', ''])
    .runs(showSchedules);
  schedule
    .command('remove')
    .description(
      'remove a schedule and its crontab line, systemd timer or launchd agent; changes nothing else in the crontab',
    )
    .argument('<id>', "the schedule's ID or name, or a unique prefix")
    .option('--yes', 'skip the prompt')
    .examples(
      ['trade-agent schedule remove s4k2m9x', 'in a terminal, asks for confirmation first'],
      ['trade-agent schedule remove s4k2m9x --yes', ''],
    )
    .exits(exitCodes.busy)
    .runs((context, id: string, { yes = false }: { yes?: boolean }) => showRemoved(context, id, yes));
  schedule
    .command('run')
    .summary('run a check that is due')
    .description(
      'Run the check of a schedule if it is due, as cron, systemd or launchd does. Prints nothing if nothing is due or found, so that cron sends no mail.',
    )
    .argument('<id>', "the schedule's ID or name, or a unique prefix")
    .option('--now', 'run it even if it is not due')
    .examples(
      ['trade-agent schedule run s4k2m9x', 'as cron does'],
      ['trade-agent schedule run s4k2m9x --now', 'to try the check'],
    )
    .exits(...checkExits)
    .action(async (id: string, { now = false }: { now?: boolean }, command: CliCommand) =>
      (await import('./run-stored.ts')).runStoredSchedule(command, id, now),
    );
  schedule
    .command('logs')
    .description('show the results of the last runs, newest first')
    .argument('[id]', 'only this schedule')
    .option('--limit <n>', 'maximum number of runs', parseLimit, 20)
    .examples(
      ['trade-agent schedule logs s4k2m9x', ''],
      ['trade-agent schedule logs --output json | jq ".runs[] | select(.status == \\"failed\\")"', ''],
    )
    .runs((context, id: string | undefined, { limit }: { limit: number }) => showLogs(context, id, limit));
}

function addAddCommand(schedule: CliCommand): void {
  schedule
    .command('add')
    .summary('schedule a check with cron, systemd or launchd')
    .description(
      'Schedule a check: add a line to your crontab, a systemd user timer, or a launchd agent, after showing it to you. Nothing else in these files changes. --timeout limits the duration of a run (default: 10m).',
    )
    .option('--cron <expression>', 'five fields, New York time: "30 9 * * 1-5"')
    .option('--at <moment>', 'relative to the trading day, including half-days: open+5m, close-30m')
    .option('--name <name>', 'a name for the schedule')
    .option('--when-open', 'skip runs while the market is closed')
    .option('--on-price', 'on a server: also run when a price crosses a limit in the rules')
    .option('--rules <file>', 'a YAML file of rules (default: built-in rules)')
    .option('--report <file>', 'write each result to an HTML file')
    .option('--suggest', 'propose orders; each needs your approval')
    .option('--buy-only', 'do not suggest sales')
    .addOption(
      createChoiceOption(
        '--approval <mode>',
        'request approval and exit (the gateway executes what you approve), propose nothing, wait for the approval, or propose only what a mandate covers',
        ['detach', 'deny', 'wait', 'mandate'],
      ).default('detach'),
    )
    .addOption(createChoiceOption('--with <what>', 'the scheduler to use (default: detected)', schedulerNames))
    .option('--yes', 'skip the prompt')
    .option('--dry-run', 'only show what would be added')
    .examples(
      ['trade-agent schedule add --cron "*/15 9-16 * * 1-5" --when-open', 'during the trading session'],
      ['trade-agent schedule add --at open+5m --suggest --yes', 'orders you approve within eight hours are placed'],
      ['trade-agent schedule add --at close-30m --with systemd --dry-run', 'shows both unit files'],
    )
    .exits(...sessionExitCodes, exitCodes.busy, exitCodes.timedOut)
    .runs(async (context, { yes = false, ...options }: AddScheduleOptions & { yes?: boolean }, command: CliCommand) => {
      const { addScheduleAndShow } = await import('./add.ts');
      const { timeout } = command.optsWithGlobals<GlobalOptions>();
      return addScheduleAndShow(context, { ...options, timeout }, yes);
    });
}

async function showSchedules(context: Context): Promise<void> {
  const { listSchedules } = await import('../../../app/schedule/schedules.ts');
  const { toScheduleView, scheduleText } = await import('./schedule-view.ts');
  const schedules = (await listSchedules(context)).map(toScheduleView);
  await context.output.result('schedules', { schedules }, () =>
    schedules.length === 0
      ? 'No schedules.'
      : schedules.map((view) => scheduleText(view, toAudience(context.io))).join('\n\n'),
  );
}

async function showRemoved(context: Context, idOrName: string, yes: boolean): Promise<void> {
  if (!yes && context.io.interactive) {
    const { resolveSchedule } = await import('../../../app/schedule/schedules.ts');
    const { id, name } = await resolveSchedule(context, idOrName);
    const { askYesNo } = await import('../../terminal/questions.ts');
    if (!(await askYesNo(context, `Remove schedule ${name ?? id}?`))) {
      throw new TradeAgentError('usage', 'nothing was removed', { hint: 'Pass --yes to skip the prompt.' });
    }
  }
  const { removeSchedule } = await import('../../../app/schedule/schedules.ts');
  const { id, entryRemoved } = await removeSchedule(context, idOrName);
  await context.output.result('schedule-removed', { id, entry_removed: entryRemoved }, () =>
    entryRemoved
      ? `Removed schedule ${id}.`
      : `Removed schedule ${id}. Its crontab line, timer or agent was already gone.`,
  );
}

async function showLogs(context: Context, id: string | undefined, limit: number): Promise<void> {
  const { listScheduleRuns } = await import('../../../app/schedule/schedules.ts');
  const { runRecordLine } = await import('./schedule-view.ts');
  const { safeLine } = await import('../../../text/sanitize.ts');
  const runs = await listScheduleRuns(context, id, limit);
  await context.output.result('schedule-logs', { runs }, () =>
    runs.length === 0
      ? 'No runs.'
      : runs
          .flatMap((run) => [
            `${run.schedule}  ${runRecordLine(run, toAudience(context.io))}`,
            ...run.findings.map(({ severity, message }) => `  ${severity}: ${safeLine(message)}`),
            ...run.approvals.map(
              (approval) => `  approval ${toAudience(context.io).ids([approval.id])(approval.id)}: ${approval.status}`,
            ),
          ])
          .join('\n'),
  );
}
