import { type Alert, alertCondition, alertSchema, describeAlert } from '../trading/alert.ts';
import { formatSharePrice } from '../trading/amounts.ts';
import { Dec } from '../trading/decimal.ts';
import { MAX_ALERTS_SET_BY_MODEL } from './alerts.ts';
import { defineTool, requireAlerts, requireGateway } from './tool.ts';

export const setAlert = defineTool({
  name: 'set_alert',
  title: 'Set an alert',
  description:
    'Notifies the user once when a price goes above or below a limit, or rises or falls by more than a given percentage in a day. Use it only if the user asks for it in their own words. Alerts never place orders.',
  schema: alertSchema,
  scopes: ['market:read'],
  risk: 'local',
  async execute(context, alert) {
    const alerts = requireAlerts(context);
    // Rejects an unknown symbol, with which every check would fail.
    const [quote] = await requireGateway(context).quotes([alert.symbol]);
    const { added, isNew, ...care } = await alerts.add(alert, MAX_ALERTS_SET_BY_MODEL);
    const last = quote?.last ?? null;
    return {
      summary: `${isNew ? 'set' : 'already set'}: ${describeAlert(alert)}`,
      content: JSON.stringify({
        alert: added,
        when: describeAlert(alert),
        is_new: isNew,
        last,
        simulated: quote?.simulated ?? null,
        is_so_now: last !== null && isTriggeredNow(alert, last),
        ...care,
        ...(last === null ? {} : { last_in_words: formatSharePrice(last) }),
      }),
    };
  },
});

/** Returns whether the next check would report the alert at this price. False for an alert about a daily change. */
function isTriggeredNow(alert: Alert, last: string): boolean {
  const { condition, limit } = alertCondition(alert);
  if (condition === 'above') return new Dec(last).gt(limit);
  return condition === 'below' && new Dec(last).lt(limit);
}
