import { z } from 'zod';
import { formatTimeWithZone } from '../trading/date-words.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getMarketClock = defineTool({
  name: 'get_market_clock',
  title: 'Check market hours',
  description: 'Returns whether the US stock market is open now, and when it next opens and closes.',
  schema: z.strictObject({}),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context) {
    const clock = await requireGateway(context).clock();
    const summary = clock.is_open
      ? `open until ${formatTimeWithZone(clock.next_close)}`
      : `closed until ${formatTimeWithZone(clock.next_open)}`;
    return { summary, content: JSON.stringify(clock) };
  },
});
