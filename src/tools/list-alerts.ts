import { z } from 'zod';
import { describeAlert } from '../trading/alert.ts';
import { defineTool, formatCount, requireAlerts } from './tool.ts';

const MAX_LISTED = 50;

export const listAlerts = defineTool({
  name: 'list_alerts',
  title: 'List your alerts',
  description:
    'Lists the user’s price alerts, the schedules that check them (looked_at_by) and the channels that report them (told_by).',
  schema: z.strictObject({}),
  scopes: [],
  risk: 'read',
  async execute(context) {
    const { alerts, ...care } = await requireAlerts(context).list();
    return {
      summary: formatCount(alerts.length, 'alert'),
      content: JSON.stringify({
        alerts: alerts.slice(0, MAX_LISTED).map((one) => ({ ...one, when: describeAlert(one.alert) })),
        count: alerts.length,
        ...care,
      }),
    };
  },
});
