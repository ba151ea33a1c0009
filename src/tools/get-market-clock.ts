import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

export const getMarketClock = defineTool({
  name: 'get_market_clock',
  description: 'Returns whether the US stock market is open now, and when it next opens and closes.',
  schema: z.strictObject({}),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context) {
    const clock = await requireGateway(context).clock();
    const summary = clock.is_open
      ? `The market is open until ${clock.next_close}.`
      : `The market is closed until ${clock.next_open}.`;
    return { summary, content: JSON.stringify(clock) };
  },
});
