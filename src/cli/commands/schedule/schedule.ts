import type { Command } from 'commander';
import { schedulers } from '../../../schedule/scheduler-names.ts';
import { TradeAgentError } from '../../../trading/errors.ts';
import { type Cli, type GlobalOptions, runCommand } from '../../cli.ts';
import type { Context } from '../../context.ts';
import { choiceOption } from '../../options/choice.ts';
import { examples, exitCodes } from '../../options/help.ts';
import type { AddOptions } from '../../schedule/add-schedule.ts';
import type { ScheduleView } from '../../schedule/schedule-view.ts';

export function addScheduleCommand(program: Command, cli: Cli): void {
  const schedule = program
    .command('schedule')
    .summary('run checks by cron, systemd or launchd')
    .description(
      'Has the machine run checks at set times, by the time of the exchange (New York), whatever zone the machine is in. Missed runs are caught up once.',
    )
    .addHelpText(
      'after',
      examples([
        ['trade-agent schedule add --at close-30m --rules rules.yaml', 'half an hour before each closing'],
        ['trade-agent schedule list', 'and when they run next'],
        ['trade-agent schedule logs', 'what became of the last runs'],
      ]) + exitCodes([3, 4, 5, 6, 7, 8, 10, 11, 12, 124]),
    );
  schedule
    .command('add')
    .summary('write an entry that runs a check')
    .description(
      'Writes an entry into your crontab, a systemd user timer, or a launchd agent, after showing it. It touches nothing it did not write. --timeout is how long a run may take (10m).',
    )
    .option('--cron <expression>', 'five fields, New York time: "30 9 * * 1-5"')
    .option('--at <moment>', 'by the trading day, half-days too: open+5m, close-30m')
    .option('--name <name>', 'a name to speak of it by')
    .option('--when-open', 'skip it while the market is closed')
    .option('--rules <file>', 'a YAML file of rules (default: the usual ones)')
    .option('--report <file>', 'write each result to an HTML file')
    .option('--suggest', 'propose orders; each waits for your approval')
    .option('--buy-only', 'suggest no sales')
    .addOption(
      choiceOption(
        '--approval <mode>',
        'ask and end (the gateway carries out what you approve), ask nobody, or wait until the phone answers',
        ['detach', 'deny', 'wait'],
      ).default('detach'),
    )
    .addOption(choiceOption('--with <what>', 'what starts it (default: what the machine has)', schedulers))
    .option('--yes', "don't ask")
    .option('--dry-run', 'only show the entry')
    .addHelpText(
      'after',
      examples([
        ['trade-agent schedule add --cron "*/15 9-16 * * 1-5" --when-open', 'through the session'],
        [
          'trade-agent schedule add --at open+5m --suggest --yes',
          'what you approve within eight hours is placed',
        ],
        ['trade-agent schedule add --at close-30m --with systemd --dry-run', 'shows both unit files'],
      ]) + exitCodes([4, 11, 12, 124]),
    )
    .action((options: AddOptions, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { addSchedule } = await import('../../schedule/add-schedule.ts');
        return addSchedule(context, options, command.optsWithGlobals<GlobalOptions>().timeout);
      }),
    );
  schedule
    .command('list', { isDefault: true })
    .description('list schedules, when they run next, and what became of their last run')
    .addHelpText('after', examples([['trade-agent schedule list --output json', '']]) + exitCodes([]))
    .action((_options, command: Command) => runCommand(cli, command, listSchedules));
  schedule
    .command('remove')
    .description('take out a schedule: its entry, and nothing else of the crontab')
    .argument('<id>', 'its id or name')
    .addHelpText('after', examples([['trade-agent schedule remove s4k2m9x', '']]) + exitCodes([12]))
    .action((id: string, _options, command: Command) =>
      runCommand(cli, command, async (context) => {
        const { removeSchedule } = await import('../../schedule/remove-schedule.ts');
        return removeSchedule(context, id);
      }),
    );
  schedule
    .command('run')
    .summary('run a check that is due')
    .description(
      'Runs the check of a schedule if it is due; this is what the entry does. With nothing due or nothing found it says nothing, so that cron sends no mail.',
    )
    .argument('<id>', 'its id or name')
    .option('--now', 'run it whether it is due or not')
    .addHelpText(
      'after',
      examples([
        ['trade-agent schedule run s4k2m9x', 'as cron does'],
        ['trade-agent schedule run s4k2m9x --now', 'to try it'],
      ]) + exitCodes([3, 4, 5, 6, 7, 8, 10, 11, 12, 124]),
    )
    .action((id: string, options: { now?: boolean }, command: Command) =>
      runStored(cli, command, id, options.now === true),
    );
  schedule
    .command('logs')
    .description('show what became of the last runs, newest first')
    .argument('[id]', 'of one schedule alone')
    .option('--limit <n>', 'so many at most', parseLimit, 20)
    .addHelpText(
      'after',
      examples([
        ['trade-agent schedule logs s4k2m9x', ''],
        ['trade-agent schedule logs --output json | jq ".runs[] | select(.status == \\"failed\\")"', ''],
      ]) + exitCodes([]),
    )
    .action((id: string | undefined, { limit }: { limit: number }, command: Command) =>
      runCommand(cli, command, (context) => showLogs(context, id, limit)),
    );
}

async function listSchedules(context: Context): Promise<void> {
  const [{ scheduleStore }, { viewOf, viewText }] = await Promise.all([
    import('../../schedule/schedule-context.ts'),
    import('../../schedule/schedule-view.ts'),
  ]);
  const store = await scheduleStore(context);
  const schedules: ScheduleView[] = [];
  for (const schedule of store.list()) schedules.push(await viewOf(context, store, schedule));
  await context.output.result('schedules', { schedules }, () =>
    schedules.length === 0 ? 'No schedules.' : schedules.map(viewText).join('\n\n'),
  );
}

/** With the profile and the time limit the schedule was made with, and silent unless there is something to tell. */
async function runStored(cli: Cli, command: Command, id: string, now: boolean): Promise<void> {
  const [{ resolveHome }, { scheduleStore }, { captureTalk }] = await Promise.all([
    import('../../../machine/home.ts'),
    import('../../schedule/schedule-context.ts'),
    import('../../schedule/captured-talk.ts'),
  ]);
  const store = await scheduleStore({ home: async () => resolveHome(cli.env) });
  const schedule = store.find(id);
  const globals = command.optsWithGlobals<GlobalOptions>();
  const root = rootOf(command);
  if (root.getOptionValueSource('profile') === 'cli' && globals.profile !== schedule.profile) {
    throw new TradeAgentError('usage', `schedule ${id} is of profile ${schedule.profile}`, {
      hint: 'Leave out --profile.',
    });
  }
  root.setOptionValue('profile', schedule.profile);
  if (globals.timeout === undefined) root.setOptionValue('timeout', schedule.timeout);
  const talk = cli.io.interactive || globals.verbose === true ? undefined : captureTalk(cli.io);
  const inner: Cli = { ...cli, io: talk?.io ?? cli.io };
  let loud = true;
  try {
    await runCommand(inner, command, async (context) => {
      const [{ runSchedule }, { printRun }] = await Promise.all([
        import('../../schedule/run-schedule.ts'),
        import('../../schedule/print-run.ts'),
      ]);
      const printed = await printRun(
        context,
        schedule,
        await runSchedule(context, store, schedule, { now }),
        now,
      );
      loud = printed.loud;
      return printed.exitCode;
    });
  } catch (error) {
    talk?.tell();
    throw error;
  }
  cli.exitCode = inner.exitCode;
  if (loud) talk?.tell();
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

async function showLogs(context: Context, id: string | undefined, limit: number): Promise<void> {
  const [{ scheduleStore }, { recordLine }] = await Promise.all([
    import('../../schedule/schedule-context.ts'),
    import('../../schedule/schedule-view.ts'),
  ]);
  const { safeLine } = await import('../../../net/shown-text.ts');
  const store = await scheduleStore(context);
  const runs = (id === undefined ? store.list() : [store.find(id)])
    .flatMap((schedule) => store.journal(schedule).runs)
    .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
    .slice(0, limit);
  await context.output.result('schedule-logs', { runs }, () =>
    runs.length === 0
      ? 'No runs.'
      : runs
          .flatMap((run) => [
            `${run.schedule}  ${recordLine(run)}`,
            ...run.findings.map(({ severity, message }) => `  ${severity}: ${safeLine(message)}`),
            ...run.approvals.map((approval) => `  approval ${approval.id}: ${approval.status}`),
          ])
          .join('\n'),
  );
}

/** @throws {TradeAgentError} `usage` */
function parseLimit(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new TradeAgentError('usage', `--limit can't be "${text}"`, {
    hint: 'Give a whole number above nothing.',
  });
}
