import { z } from 'zod';
import { describeAlert } from '../trading/alert.ts';
import { symbolSchema } from '../trading/order.ts';
import { defineTool, formatCount, requireAlerts } from './tool.ts';

export const removeAlert = defineTool({
  name: 'remove_alert',
  title: 'Remove an alert',
  description:
    'Removes all of the user’s price alerts for one symbol. Use it only if the user asks for it in their own words.',
  schema: z.lazy(() => z.strictObject({ symbol: symbolSchema.describe('A ticker symbol such as AAPL') })),
  scopes: [],
  risk: 'local',
  async execute(context, { symbol }) {
    const { removed } = await requireAlerts(context).remove(symbol);
    return {
      summary: `${formatCount(removed.length, 'alert')} of ${symbol} removed`,
      content: JSON.stringify({ removed: removed.map((one) => ({ ...one, when: describeAlert(one.alert) })) }),
    };
  },
});
