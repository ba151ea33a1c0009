import { addDays, newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { MarketClock } from '../../trading/views.ts';
import type { Broker } from '../broker/broker.ts';

/** Longer than the exchange was ever closed since 2001. */
const DAYS_BACK = 10;

/**
 * The date in New York of the last session that has begun: today's while the market is open (no request is made), and
 * otherwise by the broker's own calendar, which knows holidays. Undefined where that tells of none.
 * @throws {Refusal} as the broker's reads do
 */
export async function lastSession(
  market: MarketClock,
  broker: Pick<Broker, 'calendar'>,
): Promise<string | undefined> {
  const now = Date.parse(market.timestamp);
  const today = newYorkDate(now);
  if (market.is_open) return today;
  const days = await broker.calendar({ start: addDays(today, -DAYS_BACK), end: today });
  return days
    .filter(({ date, open }) => newYorkInstant(date, open) <= now)
    .map(({ date }) => date)
    .sort()
    .at(-1);
}
