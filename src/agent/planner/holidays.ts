import { addDays, type IsoDate, weekday } from '../../trading/new-york-time.ts';

/* The dates of US holidays, and of days of the year. The calendar decides whether the market is open then. */

const SUNDAY = 0;
const MONDAY = 1;
const THURSDAY = 4;

/** Returns the first, second, … such weekday of a month. */
function nthWeekday(year: number, month: string, day: number, n: number): IsoDate {
  const first = `${year}-${month}-01`;
  return addDays(first, ((day - weekday(first) + 7) % 7) + (n - 1) * 7);
}

/** Returns the date of Easter Sunday, by the Gregorian computus. */
function easter(year: number): IsoDate {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const epact = (century - Math.floor(century / 4) - Math.floor((8 * century + 13) / 25) + 19 * golden + 15) % 30;
  const moon = epact - (epact > 28 || (epact === 28 && golden > 10) ? 1 : 0);
  const full = addDays(`${year}-03-21`, moon);
  return addDays(full, 7 - ((weekday(full) - SUNDAY + 7) % 7));
}

const holidays: Readonly<Record<string, (year: number) => IsoDate>> = {
  new_year: (year) => `${year}-01-01`,
  mlk_day: (year) => nthWeekday(year, '01', MONDAY, 3),
  presidents_day: (year) => nthWeekday(year, '02', MONDAY, 3),
  good_friday: (year) => addDays(easter(year), -2),
  memorial_day: (year) => addDays(nthWeekday(year, '06', MONDAY, 1), -7),
  juneteenth: (year) => `${year}-06-19`,
  independence_day: (year) => `${year}-07-04`,
  labor_day: (year) => nthWeekday(year, '09', MONDAY, 1),
  thanksgiving: (year) => nthWeekday(year, '11', THURSDAY, 4),
  black_friday: (year) => addDays(nthWeekday(year, '11', THURSDAY, 4), 1),
  christmas_eve: (year) => `${year}-12-24`,
  christmas: (year) => `${year}-12-25`,
};

/** Returns the next date of a holiday, or of a day such as `12-24`, on or after today. Undefined for another name. */
export function nextHoliday(name: string, today: IsoDate): IsoDate | undefined {
  const year = Number(today.slice(0, 4));
  const dateIn = (one: number) =>
    /^\d\d-\d\d$/.test(name) ? `${one}-${name}` : Object.hasOwn(holidays, name) ? holidays[name]?.(one) : undefined;
  return [dateIn(year), dateIn(year + 1)].find((date) => date !== undefined && date >= today);
}
