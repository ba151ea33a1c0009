import { z } from 'zod';
import type { TradingDay } from '../trading/activity.ts';
import { addDays, newYorkDate } from '../trading/new-york-time.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { defineTool, formatCount, requireGateway } from './tool.ts';

const MAX_DAYS = 366;

export const getCalendar = defineTool({
  name: 'get_calendar',
  title: 'Read the trading calendar',
  description:
    'Lists the days on which the US stock market is open, with their hours (HH:MM in New York, including half days). The market is closed on days that are missing from the result.',
  schema: z.lazy(() =>
    z.strictObject({
      start: z
        .string()
        .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/)
        .refine((text) => z.iso.date().safeParse(text).success, 'must be a date')
        .optional()
        .describe('YYYY-MM-DD; today if omitted'),
      days: z.number().int().min(1).max(MAX_DAYS).default(14).describe('Number of calendar days, starting with start'),
    }),
  ),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { start, days }) {
    const found = await readTradingDays(requireGateway(context), { start, days });
    const summary = `${formatCount(found.days.length, 'trading day')} from ${found.start} to ${found.end}`;
    return { summary, content: JSON.stringify(found) };
  },
});

export interface TradingDays {
  readonly today: string;
  readonly start: string;
  readonly end: string;
  readonly time_zone: string;
  readonly days: readonly TradingDay[];
}

export async function readTradingDays(
  gateway: Pick<GatewayClient, 'clock' | 'calendar'>,
  { start, days }: { readonly start?: string | undefined; readonly days: number },
): Promise<TradingDays> {
  // Uses the market's clock, because a sandbox has its own time.
  const today = newYorkDate(Date.parse((await gateway.clock()).timestamp));
  const from = start ?? today;
  const end = addDays(from, days - 1);
  const found = await gateway.calendar({ start: from, end });
  return { today, start: from, end, time_zone: 'America/New_York', days: found };
}
