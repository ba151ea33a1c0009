import type { Session } from '../../auth/session/session.ts';
import { loginRequiredError } from '../../errors/login-required.ts';
import type { Clock } from '../../machine/clock.ts';
import { type CachedCalendar, loadCurrentCalendar } from '../../schedule/calendar-cache.ts';
import type { CalendarRows, TenantSchedules } from '../../store/schedule-rows.ts';
import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { TradingDay } from '../../trading/activity.ts';
import type { PersonSessions } from '../sessions/person-sessions.ts';

/** How many people's sessions are tried, at most, for reading the calendar. Some people may be signed out. */
const MAX_PEOPLE = 5;
const RETRY_DELAY_MS = 5 * 60_000;
const CACHE_MS = 60_000;

export type TradingDayReader = ReturnType<typeof createTradingDayReader>;

/**
 * Creates a reader of the market's calendar. The reader requests the calendar once per tenant and day, with the session
 * of any person who is signed in.
 */
export function createTradingDayReader(options: {
  readonly rows: CalendarRows<CachedCalendar>;
  readonly schedules: Pick<TenantSchedules, 'marketPeople'>;
  readonly sessions: Pick<PersonSessions, 'forPerson'>;
  readonly clock: Clock;
}) {
  const { rows, schedules, sessions, clock } = options;
  let restUntil = 0;
  const calendarOf = (session: () => Promise<Session>) =>
    loadCurrentCalendar({
      store: rows,
      now: clock.now(),
      ask: async (range) => await createGatewayClient(await session()).calendar(range),
    });
  const onBehalfOfSomeone = async () => {
    const people = await schedules.marketPeople(MAX_PEOPLE);
    if (people.length === 0) return [];
    let why: unknown = loginRequiredError();
    for (const person of people) {
      try {
        return (await calendarOf(() => sessions.forPerson(person))).days;
      } catch (error) {
        why = error;
      }
    }
    throw why;
  };
  const known = async () => {
    if (clock.now() >= restUntil) {
      try {
        return await onBehalfOfSomeone();
      } catch {
        restUntil = clock.now() + RETRY_DELAY_MS;
      }
    }
    return (await rows.get())?.days ?? [];
  };
  let remembered: { readonly days: readonly TradingDay[]; readonly until: number } | undefined;
  return {
    /**
     * Returns the trading days, cached for a minute. Returns an empty list if no calendar is stored, because no
     * schedule needs a calendar or because the request for the calendar failed.
     */
    async known(): Promise<readonly TradingDay[]> {
      if (remembered === undefined || clock.now() >= remembered.until) {
        remembered = { days: await known(), until: clock.now() + CACHE_MS };
      }
      return remembered.days;
    },
    /**
     * Returns the trading days. If needed, first requests them with this session.
     * @throws the gateway's error if no current calendar is stored
     */
    askedBy: async (session: Session) => (await calendarOf(async () => session)).days,
  };
}
