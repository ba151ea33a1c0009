import { z } from 'zod';
import { addDays, newYorkDate } from '../trading/new-york-time.ts';
import { defineTool, requireGateway } from './tool.ts';

/** A year of trading days. */
const MOST_DAYS = 366;

export const getCalendar = defineTool({
  name: 'get_calendar',
  description:
    'The days on which the US stock market trades, with their hours (HH:MM in New York, half-days too). A day that is missing from the answer has no trading.',
  schema: z.strictObject({
    start: z.iso.date().optional().describe('YYYY-MM-DD; today where it is left out'),
    days: z.number().int().min(1).max(MOST_DAYS).default(14).describe('Calendar days from start on'),
  }),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { start, days }) {
    const gateway = requireGateway(context);
    // By the market's clock: a sandbox has a time of its own.
    const today = newYorkDate(Date.parse((await gateway.clock()).timestamp));
    const from = start ?? today;
    const end = addDays(from, days - 1);
    const found = await gateway.calendar({ start: from, end });
    const count = found.length === 1 ? '1 trading day' : `${found.length} trading days`;
    return {
      summary: `${count} from ${from} to ${end}`,
      content: JSON.stringify({ today, start: from, end, time_zone: 'America/New_York', days: found }),
    };
  },
});
