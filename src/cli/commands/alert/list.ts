import { ownAlerts } from '../../../app/alerts/own-alerts.ts';
import type { AlertView } from '../../../tools/alerts.ts';
import { alertWords } from '../../../trading/alert.ts';
import type { Context } from '../../context.ts';
import { table } from '../../text/table.ts';
import { missing } from './add.ts';

export async function showAlerts(context: Context): Promise<void> {
  const own = await ownAlerts(context);
  const { alerts, ...care } = await own.list();
  await context.output.result('alerts', { alerts, file: own.file ?? null, ...care }, async () => {
    if (alerts.length === 0) return "No alerts: trade-agent alert add 'AAPL<180' adds one.";
    return [
      await table<AlertView>(
        [
          { head: 'NAME', cell: ({ name }) => name },
          { head: 'TOLD WHEN', cell: ({ alert }) => alertWords(alert) },
          { head: 'STATE', cell: stateOf },
        ],
        alerts,
      ),
      '',
      ...(care.looked_at_by.length === 0 ? [] : [`Looked at by: ${care.looked_at_by.join(', ')}`]),
      ...(care.told_by.length === 0 ? [] : [`Told by: ${care.told_by.join(', ')}`]),
      ...missing(care),
    ].join('\n');
  });
}

function stateOf({ enabled, snoozed_until }: AlertView): string {
  if (!enabled) return 'off';
  return snoozed_until === null ? 'on' : `not before ${snoozed_until.slice(0, 16)}Z`;
}

export async function removeAndShow(context: Context, which: string): Promise<void> {
  const { removed } = await (await ownAlerts(context)).remove(which);
  await context.output.result('alert-removed', { removed }, () =>
    removed
      .map(({ name, alert }) => `${name}: you are not told any more when ${alertWords(alert)}.`)
      .join('\n'),
  );
}
