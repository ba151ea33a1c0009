import { z } from 'zod';
import { symbolSchema } from '../trading/order.ts';
import { DAY_MS } from '../values/durations.ts';
import { defineTool, omittedCount, requireGateway } from './tool.ts';

/** Maximum number of bars. Models don't read longer lists well. */
const MAX_BARS = 260;

export const getBars = defineTool({
  name: 'get_bars',
  title: 'Read price history',
  description: `Returns prices of one US stock or fund over time: open, high, low, close and volume, oldest first, at most the latest ${MAX_BARS}.`,
  schema: z.lazy(() =>
    z.strictObject({
      symbol: symbolSchema.describe('A ticker symbol such as AAPL or BRK.B'),
      timeframe: z.enum(['1Day', '1Hour']).default('1Day'),
      days: z.number().int().min(1).max(365).default(90).describe('How many calendar days back'),
    }),
  ),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { symbol, timeframe, days }) {
    const gateway = requireGateway(context);
    // Uses the market's clock, because a sandbox has its own time.
    const now = Date.parse((await gateway.clock()).timestamp);
    const all = await gateway.bars({ symbol, timeframe, start: now - days * DAY_MS });
    const bars = all.slice(-MAX_BARS);
    const last = bars.at(-1);
    return {
      summary:
        last === undefined
          ? `There are no bars for ${symbol} in that period.`
          : `${bars.length} bars of ${symbol}; the last closed at $${last.close}.`,
      content: JSON.stringify({
        symbol,
        timeframe,
        bars,
        ...omittedCount(all.length, MAX_BARS),
      }),
    };
  },
});
