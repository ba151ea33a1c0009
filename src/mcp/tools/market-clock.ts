import { z } from 'zod';
import { defineMcpTool } from './mcp-tool.ts';

export const marketClock = defineMcpTool({
  name: 'market_clock',
  title: 'Market hours',
  description: 'Whether the US stock market is open now, and when it opens and closes next.',
  schema: z.strictObject({}),
  scopes: ['market:read'],
  effect: 'reads',
  async run({ caller }) {
    const clock = await caller.gateway.clock();
    const message = clock.is_open
      ? `The market is open until ${clock.next_close}.`
      : `The market is closed until ${clock.next_open}.`;
    return { message, found: { ...clock } };
  },
});
