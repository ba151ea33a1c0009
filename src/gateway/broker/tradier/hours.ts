import { z } from 'zod';
import { type TradingDay, tradingDaySchema } from '../../../trading/activity.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { clockSchema, type MarketClock } from '../../../trading/views.ts';
import type { CalendarQuery } from '../broker.ts';
import type { RestClient } from '../rest-client.ts';
import { listOf } from './client.ts';

const calendarAnswer = z.object({
  calendar: z.object({
    days: z.object({
      day: listOf(
        z.object({
          date: z.iso.date(),
          status: z.string(),
          open: z.object({ start: z.string(), end: z.string() }).optional(),
        }),
      ),
    }),
  }),
});

/** `GET /markets/calendar`, a month at a time. */
export async function tradingDays(client: RestClient, { start, end }: CalendarQuery): Promise<TradingDay[]> {
  const days: TradingDay[] = [];
  for (
    let month = start.slice(0, 7);
    month <= end.slice(0, 7);
    month = addDays(`${month}-28`, 7).slice(0, 7)
  ) {
    const query = { year: month.slice(0, 4), month: month.slice(5) };
    const { calendar } = calendarAnswer.parse(await client('/markets/calendar', { query }));
    for (const { date, status, open } of calendar.days.day) {
      if (status !== 'open' || open === undefined || date < start || date > end) continue;
      days.push(tradingDaySchema.parse({ date, open: open.start, close: open.end }));
    }
  }
  return days;
}

const clockAnswer = z.object({ clock: z.object({ state: z.string(), timestamp: z.number() }) });

/** Longer than the exchange was ever closed since 2001. */
const DAYS_AHEAD = 10;

/** `GET /markets/clock`, and the calendar for when it opens and closes next. */
export async function clockOf(client: RestClient): Promise<MarketClock> {
  const { clock } = clockAnswer.parse(await client('/markets/clock'));
  const now = clock.timestamp * 1000;
  const today = newYorkDate(now);
  const days = await tradingDays(client, { start: today, end: addDays(today, DAYS_AHEAD) });
  const after = (times: number[]) => times.find((time) => time > now);
  const opens = after(days.map(({ date, open }) => newYorkInstant(date, open)));
  const closes = after(days.map(({ date, close }) => newYorkInstant(date, close)));
  return clockSchema.parse({
    timestamp: new Date(now).toISOString(),
    is_open: clock.state === 'open',
    next_open: opens === undefined ? undefined : new Date(opens).toISOString(),
    next_close: closes === undefined ? undefined : new Date(closes).toISOString(),
  });
}
