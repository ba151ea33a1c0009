import { exits } from '../../../app/exit-codes.ts';
import { schedulers } from '../../../schedule/scheduler-names.ts';
import { lookTimes } from '../../../tools/alerts.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { choiceOption } from '../../options/choice.ts';
import type { AddAlertOptions } from './list.ts';

export function addAlertCommand(program: CliCommand): void {
  const alert = program
    .command('alert')
    .summary('be told when a price crosses a limit')
    .description(
      "Keeps rules of a check (kind price, docs/guide/CHECKS.md) in the rules file that the profile's schedule checks by. A schedule looks, the notice channels tell. Each alert is told once, and again after the price went back.",
    )
    .examples(
      ["trade-agent alert add 'AAPL<180' --schedule 15m", 'and has this machine look'],
      ['trade-agent alert list', 'what you are told of, and by whom'],
      ['trade-agent alert remove AAPL', 'all of a symbol, or one by its name'],
    )
    .exits(exits.busy);
  alert
    .command('add')
    .description(
      "Adds an alert: a symbol, < or >, and a price or the day's change with its sign. In single quotes, or the shell takes < and > for itself.",
    )
    .argument('<alert>', "'AAPL<180', 'NVDA>150', 'AAPL<-5%', 'TSLA>+8%'")
    .addOption(
      choiceOption('--schedule <when>', 'also have this machine look, where nothing does yet', lookTimes),
    )
    .addOption(choiceOption('--with <what>', 'what starts it (default: what the machine has)', schedulers))
    .option('--yes', "don't ask before the schedule's entry is written")
    .examples(
      ["trade-agent alert add 'AAPL<180'", 'told once it is below'],
      ["trade-agent alert add 'NVDA<-5%' --schedule close --yes", 'looked at before each closing'],
    )
    .exits(exits.busy)
    .runs(async (context, text: string, options: AddAlertOptions) =>
      (await import('./list.ts')).addAndShow(context, text, options),
    );
  alert
    .command('list', { isDefault: true })
    .description('list alerts, which schedules look at them, and which channels tell of them')
    .examples(['trade-agent alert list --output json', 'for scripts'])
    .runs(async (context) => (await import('./list.ts')).showAlerts(context));
  alert
    .command('remove')
    .description('take out an alert by its name, or all of a symbol')
    .argument('<which>', 'one of the names that "alert list" shows, or a symbol')
    .examples(['trade-agent alert remove aapl-below-180', 'the rest of the file stays as it is'])
    .exits(exits.busy)
    .runs(async (context, which: string) => (await import('./list.ts')).removeAndShow(context, which));
}
