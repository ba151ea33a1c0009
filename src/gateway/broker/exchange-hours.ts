import type { TradingDay } from '../../trading/activity.ts';
import { addDays, newYorkDate, newYorkTimestamp } from '../../trading/new-york-time.ts';
import { calendarSessions } from '../../trading/trading-calendar.ts';
import type { MarketClock } from '../../trading/views.ts';
import type { CalendarQuery } from './broker.ts';

/*
 * NYSE hours as calculated by rule (trading/trading-calendar.ts), for brokers that don't report hours. If the exchange
 * closes unexpectedly, the broker holds or rejects orders.
 */

const exchange = calendarSessions('exchange');

export function computeExchangeClock(now: number): MarketClock {
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

export function computeExchangeCalendar({ start, end }: CalendarQuery): TradingDay[] {
  const days: TradingDay[] = [];
  for (let date = start; date <= end; date = addDays(date, 1)) {
    const session = exchange.on(date);
    if (session === undefined) continue;
    const wall = (ms: number) => newYorkTimestamp(ms).slice(11, 16);
    days.push({ date, open: wall(session.open), close: wall(session.close) });
  }
  return days;
}
