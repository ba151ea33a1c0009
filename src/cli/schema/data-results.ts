import { z } from 'zod';
import { activitySchema, tradingDaySchema } from '../../trading/activity.ts';
import { articleSchema, watchlistSchema } from '../../trading/market-news.ts';
import { periods } from '../../trading/period.ts';
import { clockSchema } from '../../trading/views.ts';
import { figureResults } from './figure-results.ts';

const date = z.string().describe('YYYY-MM-DD, in New York');
const dollars = z.string().describe('dollars, a decimal number; less than nothing for what was paid');

/** What is printed of what broker and gateway know beside prices, positions and orders. */
export const dataResults = {
  clock: clockSchema.unwrap(),
  calendar: z.object({
    today: date,
    start: date,
    end: date.describe('YYYY-MM-DD, included'),
    time_zone: z.string().describe('of open and close'),
    days: z.array(tradingDaySchema).describe('the days on which the market trades, and no others'),
  }),
  news: z.object({
    news: z.array(articleSchema).describe('the newest first; the publishers’ words'),
    simulated: z.boolean(),
  }),
  watchlist: z.object({ watchlist: watchlistSchema }),
  activities: z.object({
    period: z.enum(periods),
    start: date,
    activities: z.array(activitySchema).describe('newest first'),
    left_out: z.int().optional().describe('how many more there are'),
    totals: z
      .object({ dividends: dollars, interest: dollars, fees: dollars })
      .describe('of the whole period'),
    simulated: z.boolean(),
  }),
  ...figureResults,
} as const satisfies Record<string, z.ZodObject>;
