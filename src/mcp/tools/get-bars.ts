import { z } from 'zod';
import { symbolSchema } from '../../trading/order.ts';
import { defineMcpTool } from './mcp-tool.ts';

/** More is a long answer that no model reads well. */
const MOST_BARS = 260;
const DAY_MS = 86_400_000;

export const getBars = defineMcpTool({
  name: 'get_bars',
  title: 'Price history',
  description: `Prices of one US stock or fund over time: open, high, low, close and volume, oldest first, at most the latest ${MOST_BARS}.`,
  schema: z.strictObject({
    symbol: symbolSchema.describe('A ticker symbol such as AAPL or BRK.B'),
    timeframe: z.enum(['1Day', '1Hour']).default('1Day'),
    days: z.number().int().min(1).max(365).default(90).describe('How many days back, weekends counted'),
  }),
  scopes: ['market:read'],
  effect: 'reads',
  async run({ caller, clock }, { symbol, timeframe, days }) {
    const start = clock.now() - days * DAY_MS;
    const all = await caller.gateway.bars({ symbol, timeframe, start });
    const bars = all.slice(-MOST_BARS);
    const last = bars.at(-1);
    return {
      message:
        last === undefined
          ? `There are no bars of ${symbol} in that time.`
          : `${bars.length} bars of ${symbol}, the last closed at $${last.close}.`,
      found: {
        symbol,
        timeframe,
        bars,
        ...(all.length > bars.length ? { left_out: all.length - bars.length } : {}),
      },
    };
  },
});
