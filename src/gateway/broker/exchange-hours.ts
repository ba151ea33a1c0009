import type { TradingDay } from '../../trading/activity.ts';
import { addDays, newYorkDate, newYorkTimestamp } from '../../trading/new-york-time.ts';
import { calendarSessions } from '../../trading/trading-calendar.ts';
import type { MarketClock } from '../../trading/views.ts';
import type { CalendarQuery } from './broker.ts';

/*
 * For brokers that tell no hours: those of the New York Stock Exchange, by its rules (trading/trading-calendar.ts) and this
 * machine's clock. A day on which it closes unforeseen is not in them; the broker then holds the order, or refuses it.
 */

const exchange = calendarSessions('exchange');

/** Whether the exchange is open now, and when it opens and closes next. */
export function exchangeClock(now: number): MarketClock {
  const today = newYorkDate(now);
  const session = exchange.on(today);
  const isOpen = session !== undefined && now >= session.open && now < session.close;
  const next = session !== undefined && now < session.open ? session : exchange.from(addDays(today, 1));
  const closes = session !== undefined && now < session.close ? session : next;
  return {
    timestamp: new Date(now).toISOString(),
    is_open: isOpen,
    next_open: new Date(next.open).toISOString(),
    next_close: new Date(closes.close).toISOString(),
  };
}

/** The exchange's trading days of a stretch, half-days with their early closing. */
export function exchangeCalendar({ start, end }: CalendarQuery): TradingDay[] {
  const days: TradingDay[] = [];
  for (let date = start; date <= end; date = addDays(date, 1)) {
    const session = exchange.on(date);
    if (session === undefined) continue;
    const wall = (ms: number) => newYorkTimestamp(ms).slice(11, 16);
    days.push({ date, open: wall(session.open), close: wall(session.close) });
  }
  return days;
}
