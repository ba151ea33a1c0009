import { exits, runExits, sessionExits } from '../../../app/exit-codes.ts';
import type { AddOptions } from '../../../app/schedule/schedule-context.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import { schedulers } from '../../../schedule/scheduler-names.ts';
import type { GlobalOptions } from '../../context/cli.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import type { Context } from '../../context/context.ts';
import { choiceOption, countUpTo } from '../../options/choice.ts';
import { readerOf } from '../../text/reader.ts';

const parseLimit = countUpTo(99_999, '--limit', 'Give a whole number above nothing.');

/** Those of a check; a closed market is no failure here. */
const checkExits = [...runExits.filter((code) => code !== exits.marketClosed), exits.found];

export function addScheduleCommand(program: CliCommand): void {
  const schedule = program
    .command('schedule')
    .summary('run checks by cron, systemd or launchd')
    .description(
      'Has the machine run checks at set times, by the time of the exchange (New York), whatever zone the machine is in. Missed runs are caught up once.',
    )
    .examples(
      ['trade-agent schedule add --at close-30m --rules rules.yaml', 'half an hour before each closing'],
      ['trade-agent schedule list', 'and when they run next'],
      ['trade-agent schedule logs', 'what became of the last runs'],
    )
    .exits(...checkExits);
  addAddCommand(schedule);
  schedule
    .command('list', { isDefault: true })
    .description('list schedules, when they run next, and what became of their last run')
    .examples(['trade-agent schedule list --output json', ''])
    .runs(showSchedules);
  schedule
    .command('remove')
    .description('take out a schedule: its entry, and nothing else of the crontab')
    .argument('<id>', 'its id or name, or how one begins')
    .option('--yes', 'do not ask')
    .examples(
      ['trade-agent schedule remove s4k2m9x', 'a terminal is asked first'],
      ['trade-agent schedule remove s4k2m9x --yes', ''],
    )
    .exits(exits.busy)
    .runs((context, id: string, { yes = false }: { yes?: boolean }) => showRemoved(context, id, yes));
  schedule
    .command('run')
    .summary('run a check that is due')
    .description(
      'Runs the check of a schedule if it is due; this is what the entry does. With nothing due or nothing found it says nothing, so that cron sends no mail.',
    )
    .argument('<id>', 'its id or name, or how one begins')
    .option('--now', 'run it whether it is due or not')
    .examples(
      ['trade-agent schedule run s4k2m9x', 'as cron does'],
      ['trade-agent schedule run s4k2m9x --now', 'to try it'],
    )
    .exits(...checkExits)
    .action(async (id: string, { now = false }: { now?: boolean }, command: CliCommand) =>
      (await import('./run-stored.ts')).runStored(command, id, now),
    );
  schedule
    .command('logs')
    .description('show what became of the last runs, newest first')
    .argument('[id]', 'of one schedule alone')
    .option('--limit <n>', 'so many at most', parseLimit, 20)
    .examples(
      ['trade-agent schedule logs s4k2m9x', ''],
      ['trade-agent schedule logs --output json | jq ".runs[] | select(.status == \\"failed\\")"', ''],
    )
    .runs((context, id: string | undefined, { limit }: { limit: number }) => showLogs(context, id, limit));
}

function addAddCommand(schedule: CliCommand): void {
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
    .option('--on-price', 'at a server: also as soon as a price passes a limit of the rules')
    .option('--rules <file>', 'a YAML file of rules (default: the usual ones)')
    .option('--report <file>', 'write each result to an HTML file')
    .option('--suggest', 'propose orders; each waits for your approval')
    .option('--buy-only', 'suggest no sales')
    .addOption(
      choiceOption(
        '--approval <mode>',
        'ask and end (the gateway carries out what you approve), propose nothing, wait until the phone answers, or propose only what a mandate covers',
        ['detach', 'deny', 'wait', 'mandate'],
      ).default('detach'),
    )
    .addOption(choiceOption('--with <what>', 'what starts it (default: what the machine has)', schedulers))
    .option('--yes', "don't ask")
    .option('--dry-run', 'only show the entry')
    .examples(
      ['trade-agent schedule add --cron "*/15 9-16 * * 1-5" --when-open', 'through the session'],
      [
        'trade-agent schedule add --at open+5m --suggest --yes',
        'what you approve within eight hours is placed',
      ],
      ['trade-agent schedule add --at close-30m --with systemd --dry-run', 'shows both unit files'],
    )
    .exits(...sessionExits, exits.busy, exits.timedOut)
    .runs(
      async (context, { yes = false, ...options }: AddOptions & { yes?: boolean }, command: CliCommand) => {
        const { addAndShow } = await import('./add.ts');
        const { timeout } = command.optsWithGlobals<GlobalOptions>();
        return addAndShow(context, { ...options, timeout }, yes);
      },
    );
}

async function showSchedules(context: Context): Promise<void> {
  const { listSchedules } = await import('../../../app/schedule/schedules.ts');
  const { viewOf, viewText } = await import('./schedule-view.ts');
  const schedules = (await listSchedules(context)).map(viewOf);
  await context.output.result('schedules', { schedules }, () =>
    schedules.length === 0
      ? 'No schedules.'
      : schedules.map((view) => viewText(view, readerOf(context.io))).join('\n\n'),
  );
}

async function showRemoved(context: Context, idOrName: string, yes: boolean): Promise<void> {
  if (!yes && context.io.interactive) {
    const { namedSchedule } = await import('../../../app/schedule/schedules.ts');
    const { id, name } = await namedSchedule(context, idOrName);
    const { saysYes } = await import('../../terminal/questions.ts');
    if (!(await saysYes(context, `Remove schedule ${name ?? id}?`))) {
      throw new TradeAgentError('usage', 'nothing was removed', { hint: 'Say --yes not to be asked.' });
    }
  }
  const { removeSchedule } = await import('../../../app/schedule/schedules.ts');
  const { id, entryRemoved } = await removeSchedule(context, idOrName);
  await context.output.result('schedule-removed', { id, entry_removed: entryRemoved }, () =>
    entryRemoved ? `Schedule ${id} is removed.` : `Schedule ${id} is removed; its entry was gone already.`,
  );
}

async function showLogs(context: Context, id: string | undefined, limit: number): Promise<void> {
  const { scheduleLogs } = await import('../../../app/schedule/schedules.ts');
  const { recordLine } = await import('./schedule-view.ts');
  const { safeLine } = await import('../../../text/shown-text.ts');
  const runs = await scheduleLogs(context, id, limit);
  await context.output.result('schedule-logs', { runs }, () =>
    runs.length === 0
      ? 'No runs.'
      : runs
          .flatMap((run) => [
            `${run.schedule}  ${recordLine(run, readerOf(context.io))}`,
            ...run.findings.map(({ severity, message }) => `  ${severity}: ${safeLine(message)}`),
            ...run.approvals.map(
              (approval) =>
                `  approval ${readerOf(context.io).ids([approval.id])(approval.id)}: ${approval.status}`,
            ),
          ])
          .join('\n'),
  );
}
