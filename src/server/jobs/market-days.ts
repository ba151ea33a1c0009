import type { Session } from '../../auth/session/session.ts';
import { loginRequired } from '../../errors/login-required.ts';
import type { Clock } from '../../machine/clock.ts';
import { currentCalendar, type KnownCalendar } from '../../schedule/calendar-cache.ts';
import type { CalendarRows, TenantSchedules } from '../../store/schedule-rows.ts';
import { createGatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { TradingDay } from '../../trading/activity.ts';
import type { PersonSessions } from '../sessions/person-sessions.ts';

/** In so many people's names it is asked for the days, one after the other, where the first are signed in no longer. */
const MOST_ASKED = 5;
/** Where nobody could be asked it is not tried again before. */
const REST_MS = 5 * 60_000;
/** What is known is read again after this. */
const REMEMBERED_MS = 60_000;

/** The market's days, which are asked for once a tenant and day, in whoever's name can be. */
export interface MarketDays {
  /** For a sweep: as they are known; empty where nobody's schedule goes by them, or none can be had. */
  known(): Promise<readonly TradingDay[]>;
  /** For a person who is here. @throws what asking the gateway throws, where none that reach to today are kept */
  askedBy(session: Session): Promise<readonly TradingDay[]>;
}

export function marketDays(options: {
  readonly rows: CalendarRows<KnownCalendar>;
  readonly schedules: Pick<TenantSchedules, 'marketPeople'>;
  readonly sessions: Pick<PersonSessions, 'of'>;
  readonly clock: Clock;
}): MarketDays {
  const { rows, schedules, sessions, clock } = options;
  let restUntil = 0;
  const calendarOf = (session: () => Promise<Session>) =>
    currentCalendar({
      place: rows,
      now: clock.now(),
      ask: async (range) => await createGatewayClient(await session()).calendar(range),
    });
  const inSomebodysName = async () => {
    const people = await schedules.marketPeople(MOST_ASKED);
    if (people.length === 0) return [];
    let why: unknown = loginRequired();
    for (const person of people) {
      try {
        return (await calendarOf(() => sessions.of(person))).days;
      } catch (error) {
        why = error;
      }
    }
    throw why;
  };
  const known = async () => {
    if (clock.now() >= restUntil) {
      try {
        return await inSomebodysName();
      } catch {
        restUntil = clock.now() + REST_MS;
      }
    }
    return (await rows.get())?.days ?? [];
  };
  let remembered: { readonly days: readonly TradingDay[]; readonly until: number } | undefined;
  return {
    async known() {
      if (remembered === undefined || clock.now() >= remembered.until) {
        remembered = { days: await known(), until: clock.now() + REMEMBERED_MS };
      }
      return remembered.days;
    },
    askedBy: async (session) => (await calendarOf(async () => session)).days,
  };
}
