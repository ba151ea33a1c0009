import { openProfileAlerts, scheduleAlertChecks } from '../../../app/alerts.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { SchedulerName } from '../../../schedule/scheduler-names.ts';
import { type AlertCoverage, type AlertView, type CheckTime, checkTimeTexts } from '../../../tools/alerts.ts';
import { describeAlert, parseAlert } from '../../../trading/alert.ts';
import { defined } from '../../../values/defined.ts';
import type { Context } from '../../context/context.ts';
import { askYesNo } from '../../terminal/questions.ts';
import { toAudience } from '../../text/audience.ts';
import { formatTable } from '../../text/table.ts';
import { confirmSchedulerEntry } from '../schedule/add.ts';

export async function showAlerts(context: Context): Promise<void> {
  const own = await openProfileAlerts(context);
  const { alerts, ...care } = await own.list();
  await context.output.result('alerts', { alerts, file: own.file ?? null, ...care }, async () => {
    if (alerts.length === 0) return "No alerts. Add one: trade-agent alert add 'AAPL<180'";
    const { time } = toAudience(context.io);
    return [
      await formatTable<AlertView>(
        [
          { head: 'NAME', cell: ({ name }) => name },
          { head: 'CONDITION', cell: ({ alert }) => describeAlert(alert) },
          { head: 'STATE', cell: (alert) => alertState(alert, time) },
        ],
        alerts,
      ),
      '',
      ...(care.looked_at_by.length === 0 ? [] : [`Checked by: ${care.looked_at_by.join(', ')}`]),
      ...(care.told_by.length === 0 ? [] : [`Notifies: ${care.told_by.join(', ')}`]),
      ...missingSetup(care),
    ].join('\n');
  });
}

function alertState({ enabled, snoozed_until }: AlertView, time: (at: string) => string): string {
  if (!enabled) return 'off';
  return snoozed_until === null ? 'on' : `snoozed until ${time(snoozed_until)}`;
}

export async function removeAlertAndShow(context: Context, which: string): Promise<void> {
  const { removed } = await (await openProfileAlerts(context)).remove(which);
  await context.output.result('alert-removed', { removed }, () =>
    removed.map(({ name, alert }) => `${name}: removed (when ${describeAlert(alert)}).`).join('\n'),
  );
}

export interface AddAlertOptions {
  readonly schedule?: CheckTime;
  readonly with?: SchedulerName;
  readonly yes?: boolean;
}

const DEFAULT_CHECK_TIME: CheckTime = '15m';

/** Adds an alert, schedules its check if the person agrees, and shows what is missing for the alert to arrive. */
export async function addAlertAndShow(context: Context, text: string, options: AddAlertOptions): Promise<void> {
  const alert = parseAlert(text);
  const own = await openProfileAlerts(context);
  const isHere = own.file !== undefined;
  const { yes = false } = options;
  if (!isHere && options.with !== undefined) {
    throw new TradeAgentError('usage', '--with is for schedules on this machine, but the server checks alerts itself', {
      hint: 'Leave out --with.',
    });
  }
  if (isHere && options.schedule !== undefined && !yes && !context.io.interactive) {
    throw new TradeAgentError('usage', 'adding a schedule changes your crontab, systemd timers or launchd agents', {
      hint: 'Pass --yes to skip the prompt. Nothing was written.',
    });
  }
  const { added, isNew, ...care } = await own.add(alert);
  const every = await chooseCheckTime(context, care, options.schedule);
  let schedule: string | undefined;
  if (every !== undefined) {
    const look = isHere
      ? await scheduleAlertChecks(context, every, {
          ...defined({ with: options.with }),
          agree: async (entry) => yes || (await confirmSchedulerEntry(context, entry)),
        })
      : await own.scheduleChecks(every);
    if (look.isNew) schedule = look.schedule;
  }
  const { alerts: _, ...heard } = await own.list();
  await context.output.result(
    'alert-added',
    { added, is_new: isNew, schedule: schedule ?? null, file: own.file ?? null, ...heard },
    () =>
      [
        `${isNew ? 'You will be notified once' : 'You already have an alert'} when ${describeAlert(added.alert)} (${added.name}).`,
        ...(schedule === undefined || every === undefined
          ? []
          : [`${isHere ? 'This machine' : 'The server'} checks ${checkTimeTexts[every]}: schedule ${schedule}.`]),
        ...missingSetup(heard),
      ].join('\n'),
  );
}

async function chooseCheckTime(
  { io, signal }: Context,
  { looked_at_by }: AlertCoverage,
  said: CheckTime | undefined,
): Promise<CheckTime | undefined> {
  if (said !== undefined) return said;
  if (looked_at_by.length > 0 || !io.interactive) return undefined;
  const question = `No schedule checks your alerts yet. Check them on this machine ${checkTimeTexts[DEFAULT_CHECK_TIME]}?`;
  return (await askYesNo({ io, signal }, question)) ? DEFAULT_CHECK_TIME : undefined;
}

function missingSetup({ looked_at_by, told_by }: AlertCoverage): string[] {
  return [
    ...(looked_at_by.length > 0
      ? []
      : ['No schedule checks your alerts yet. Add one with --schedule 15m, or see "trade-agent schedule add".']),
    ...(told_by.length > 0
      ? []
      : ['No channel notifies you yet. Add one: trade-agent notices add NAME KIND (docs/guide/NOTICES.md)']),
  ];
}
