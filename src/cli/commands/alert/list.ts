import { lookAtAlerts, ownAlerts } from '../../../app/alerts.ts';
import { TradeAgentError } from '../../../errors/errors.ts';
import type { SchedulerName } from '../../../schedule/scheduler-names.ts';
import { type AlertCare, type AlertView, type LookTime, lookWords } from '../../../tools/alerts.ts';
import { alertWords, parseAlert } from '../../../trading/alert.ts';
import { defined } from '../../../values/defined.ts';
import type { Context } from '../../context/context.ts';
import { saysYes } from '../../terminal/questions.ts';
import { table } from '../../text/table.ts';
import { agree } from '../schedule/add.ts';

export async function showAlerts(context: Context): Promise<void> {
  const own = await ownAlerts(context);
  const { alerts, ...care } = await own.list();
  await context.output.result('alerts', { alerts, file: own.file ?? null, ...care }, async () => {
    if (alerts.length === 0) return "No alerts. Add one: trade-agent alert add 'AAPL<180'";
    return [
      await table<AlertView>(
        [
          { head: 'NAME', cell: ({ name }) => name },
          { head: 'CONDITION', cell: ({ alert }) => alertWords(alert) },
          { head: 'STATE', cell: alertState },
        ],
        alerts,
      ),
      '',
      ...(care.looked_at_by.length === 0 ? [] : [`Checked by: ${care.looked_at_by.join(', ')}`]),
      ...(care.told_by.length === 0 ? [] : [`Notifies: ${care.told_by.join(', ')}`]),
      ...missing(care),
    ].join('\n');
  });
}

function alertState({ enabled, snoozed_until }: AlertView): string {
  if (!enabled) return 'off';
  return snoozed_until === null ? 'on' : `snoozed until ${snoozed_until.slice(0, 16)}Z`;
}

export async function removeAndShow(context: Context, which: string): Promise<void> {
  const { removed } = await (await ownAlerts(context)).remove(which);
  await context.output.result('alert-removed', { removed }, () =>
    removed.map(({ name, alert }) => `${name}: removed (when ${alertWords(alert)}).`).join('\n'),
  );
}

export interface AddAlertOptions {
  readonly schedule?: LookTime;
  readonly with?: SchedulerName;
  readonly yes?: boolean;
}

const DEFAULT_CHECK_TIME: LookTime = '15m';

/** Adds an alert, schedules its check if the person wants to, and shows what is still missing for it to arrive. */
export async function addAndShow(context: Context, text: string, options: AddAlertOptions): Promise<void> {
  const alert = parseAlert(text);
  const own = await ownAlerts(context);
  const isHere = own.file !== undefined;
  const { yes = false } = options;
  if (!isHere && options.with !== undefined) {
    throw new TradeAgentError(
      'usage',
      '--with is for schedules on this machine, but the server checks alerts itself',
      {
        hint: 'Leave it out.',
      },
    );
  }
  if (isHere && options.schedule !== undefined && !yes && !context.io.interactive) {
    throw new TradeAgentError('usage', 'a schedule needs to write an entry that starts this program', {
      hint: 'Pass --yes to skip the prompt. Nothing was written.',
    });
  }
  const { added, isNew, ...care } = await own.add(alert);
  const every = await lookTime(context, care, options.schedule);
  let schedule: string | undefined;
  if (every !== undefined) {
    const look = isHere
      ? await lookAtAlerts(context, every, {
          ...defined({ with: options.with }),
          agree: async (entry) => yes || (await agree(context, entry)),
        })
      : await own.look(every);
    if (look.isNew) schedule = look.schedule;
  }
  const { alerts: _, ...heard } = await own.list();
  await context.output.result(
    'alert-added',
    { added, is_new: isNew, schedule: schedule ?? null, file: own.file ?? null, ...heard },
    () =>
      [
        `${isNew ? 'You will be notified once' : 'You already have an alert'} when ${alertWords(added.alert)} (${added.name}).`,
        ...(schedule === undefined || every === undefined
          ? []
          : [`${isHere ? 'This machine' : 'The server'} checks ${lookWords[every]}: schedule ${schedule}.`]),
        ...missing(heard),
      ].join('\n'),
  );
}

async function lookTime(
  { io, signal }: Context,
  { looked_at_by }: AlertCare,
  said: LookTime | undefined,
): Promise<LookTime | undefined> {
  if (said !== undefined) return said;
  if (looked_at_by.length > 0 || !io.interactive) return undefined;
  const question = `No schedule checks your alerts yet. Check them on this machine ${lookWords[DEFAULT_CHECK_TIME]}?`;
  return (await saysYes({ io, signal }, question)) ? DEFAULT_CHECK_TIME : undefined;
}

function missing({ looked_at_by, told_by }: AlertCare): string[] {
  return [
    ...(looked_at_by.length > 0
      ? []
      : [
          'No schedule checks your alerts yet. Add it with --schedule 15m, or see "trade-agent schedule add".',
        ]),
    ...(told_by.length > 0
      ? []
      : ['No channel notifies you yet. Add one: trade-agent notices add NAME KIND (docs/guide/NOTICES.md)']),
  ];
}
