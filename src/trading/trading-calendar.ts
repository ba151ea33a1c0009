import { addDays, type IsoDate, newYorkInstant, nthWeekday, toIsoDate, weekday } from './new-york-time.ts';

/** `exchange`: NYSE hours and holidays. `always`: every day around the clock, so that a demo works at any time. */
export type MarketHours = 'always' | 'exchange';

export interface Session {
  date: IsoDate;
  open: number;
  close: number;
  extendedOpen: number;
  extendedClose: number;
}

/** Closings by proclamation rather than by rule (NYSE, "Special Closings"). */
const SPECIAL_CLOSINGS = new Set<IsoDate>([
  // September 11 attacks.
  '2001-09-11',
  '2001-09-12',
  '2001-09-13',
  '2001-09-14',
  '2004-06-11', // day of mourning for Ronald Reagan
  '2007-01-02', // day of mourning for Gerald Ford
  // Hurricane Sandy.
  '2012-10-29',
  '2012-10-30',
  '2018-12-05', // day of mourning for George H. W. Bush
  '2025-01-09', // day of mourning for Jimmy Carter
]);

const FIRST_JUNETEENTH = 2022;

/** Computes Western Easter (Meeus/Jones/Butcher algorithm). */
function easter(year: number): IsoDate {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const month = Math.floor((h + l - 7 * m + 114) / 31);
  return toIsoDate(Date.UTC(year, month - 1, ((h + l - 7 * m + 114) % 31) + 1));
}

function observedHoliday(date: IsoDate): IsoDate {
  const day = weekday(date);
  return day === 6 ? addDays(date, -1) : day === 0 ? addDays(date, 1) : date;
}

const holidaysByYear = new Map<number, Set<IsoDate>>();

/**
 * Returns the NYSE holidays of a year, 1998 or later (NYSE Rule 7.2). A New Year's Day on a Saturday is not observed on
 * Friday, because that day ends the accounting year.
 */
export function exchangeHolidays(year: number): ReadonlySet<IsoDate> {
  let holidays = holidaysByYear.get(year);
  if (holidays === undefined) {
    const newYear = `${year}-01-01`;
    const lastMondayOfMay = addDays(nthWeekday(year, 6, 1, 1), -7);
    holidays = new Set([
      ...(weekday(newYear) === 6 ? [] : [observedHoliday(newYear)]),
      nthWeekday(year, 1, 1, 3), // Martin Luther King Jr.
      nthWeekday(year, 2, 1, 3), // Washington's Birthday
      addDays(easter(year), -2), // Good Friday
      lastMondayOfMay, // Memorial Day
      ...(year < FIRST_JUNETEENTH ? [] : [observedHoliday(`${year}-06-19`)]),
      observedHoliday(`${year}-07-04`), // Independence Day
      nthWeekday(year, 9, 1, 1), // Labor Day
      nthWeekday(year, 11, 4, 4), // Thanksgiving
      observedHoliday(`${year}-12-25`), // Christmas
      ...[...SPECIAL_CLOSINGS].filter((date) => date.startsWith(`${year}-`)),
    ]);
    holidaysByYear.set(year, holidays);
  }
  return holidays;
}

const SPECIAL_EARLY_CLOSINGS = new Set<IsoDate>(['1999-12-31', '2003-12-26']);

/**
 * First year in which the day before July 4 closes early if it is a Wednesday. Before 2013, the Friday after July 4
 * closed early instead.
 */
const FIRST_EARLY_WEDNESDAY = 2013;

/** Returns whether a day closes at 13:00: July 3, December 24 (Monday to Thursday) and the day after Thanksgiving. */
export function closesEarly(date: IsoDate): boolean {
  const monthDay = date.slice(5);
  const day = weekday(date);
  if (SPECIAL_EARLY_CLOSINGS.has(date)) return true;
  if (Number(date.slice(0, 4)) < FIRST_EARLY_WEDNESDAY) {
    if (monthDay === '07-05') return day === 5;
    if (monthDay === '07-03' && day === 3) return false;
  }
  if (monthDay === '07-03' || monthDay === '12-24') return day >= 1 && day <= 4;
  return date === addDays(nthWeekday(Number(date.slice(0, 4)), 11, 4, 4), 1);
}

export function findSession(date: IsoDate, hours: MarketHours): Session | undefined {
  if (hours === 'always') {
    const open = newYorkInstant(date, '00:00');
    const close = newYorkInstant(date, '24:00');
    return { date, open, close, extendedOpen: open, extendedClose: close };
  }
  const day = weekday(date);
  if (day === 0 || day === 6 || exchangeHolidays(Number(date.slice(0, 4))).has(date)) return undefined;
  return exchangeSession(date);
}

function exchangeSession(date: IsoDate): Session {
  const early = closesEarly(date);
  return {
    date,
    open: newYorkInstant(date, '09:30'),
    close: newYorkInstant(date, early ? '13:00' : '16:00'),
    extendedOpen: newYorkInstant(date, '04:00'),
    extendedClose: newYorkInstant(date, early ? '17:00' : '20:00'),
  };
}

export interface Sessions {
  readonly hours: MarketHours;
  on(date: IsoDate): Session | undefined;
  from(date: IsoDate): Session;
  upTo(date: IsoDate): Session;
}

export function calendarSessions(hours: MarketHours): Sessions {
  return createSessions(hours, (date) => findSession(date, hours));
}

/**
 * Returns sessions on exactly these dates. Before the first and after the last date, the regular calendar applies.
 * @param dates at least one, ascending
 */
export function sessionsOnDays(dates: readonly IsoDate[]): Sessions {
  const days = new Set(dates);
  const [first = ''] = dates;
  const last = dates.at(-1) ?? first;
  return createSessions('exchange', (date) => {
    if (date < first || date > last) return findSession(date, 'exchange');
    return days.has(date) ? exchangeSession(date) : undefined;
  });
}

function createSessions(hours: MarketHours, on: Sessions['on']): Sessions {
  const search = (date: IsoDate, step: 1 | -1): Session => {
    for (let candidate = date; ; candidate = addDays(candidate, step)) {
      const session = on(candidate);
      if (session !== undefined) return session;
    }
  };
  return { hours, on, from: (date) => search(date, 1), upTo: (date) => search(date, -1) };
}
