import { exitCodes } from '../../../app/exit-codes.ts';
import { schedulerNames } from '../../../schedule/scheduler-names.ts';
import { checkTimes } from '../../../tools/alerts.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createChoiceOption } from '../../options/choice.ts';
import type { AddAlertOptions } from './list.ts';

export function addAlertCommand(program: CliCommand): void {
  const alert = program
    .command('alert')
    .summary('manage price alerts')
    .description(
      "Manage price alerts, which are price rules (docs/guide/CHECKS.md) in the rules file of the profile's schedule. A schedule checks the alerts. Your notice channels notify you once when an alert's condition is met, and again only after the price has moved back.",
    )
    .examples(
      ["trade-agent alert add 'AAPL<180' --schedule 15m", 'also checks the alert on this machine'],
      ['trade-agent alert list', 'your alerts, schedules and channels'],
      ['trade-agent alert remove AAPL', 'all alerts of a symbol, or one by name'],
    )
    .exits(exitCodes.busy);
  alert
    .command('add')
    .description(
      'Add an alert: a symbol, < or >, and a price or a signed daily change. Use single quotes, because the shell interprets < and >.',
    )
    .argument('<alert>', "'AAPL<180', 'NVDA>150', 'AAPL<-5%', 'TSLA>+8%'")
    .addOption(createChoiceOption('--schedule <when>', 'also add a schedule if none checks alerts yet', checkTimes))
    .addOption(createChoiceOption('--with <what>', 'the scheduler to use (default: detected)', schedulerNames))
    .option('--yes', 'skip the prompt before adding the schedule to cron, systemd or launchd')
    .examples(
      ["trade-agent alert add 'AAPL<180'", 'notifies you once the price falls below the value'],
      ["trade-agent alert add 'NVDA<-5%' --schedule close --yes", 'checked before each close'],
    )
    .exits(exitCodes.busy)
    .runs(async (context, text: string, options: AddAlertOptions) =>
      (await import('./list.ts')).addAlertAndShow(context, text, options),
    );
  alert
    .command('list', { isDefault: true })
    .description('list alerts, the schedules that check them, and their notice channels')
    .examples(['trade-agent alert list --output json', 'for scripts'])
    .runs(async (context) => (await import('./list.ts')).showAlerts(context));
  alert
    .command('remove')
    .description('remove an alert by name, or all alerts of a symbol')
    .argument('<which>', 'a name from "alert list", or a symbol')
    .examples(['trade-agent alert remove aapl-below-180', 'leaves the rest of the file unchanged'])
    .exits(exitCodes.busy)
    .runs(async (context, which: string) => (await import('./list.ts')).removeAlertAndShow(context, which));
}
