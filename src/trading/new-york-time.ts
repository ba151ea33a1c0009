const HOUR_MS = 3_600_000;
export const ONE_DAY_MS = 24 * HOUR_MS;

export type IsoDate = string;

const utcMidnight = (date: IsoDate) => Date.parse(`${date}T00:00:00Z`);

export const toIsoDate = (utcMs: number): IsoDate => new Date(utcMs).toISOString().slice(0, 10);

export function addDays(date: IsoDate, days: number): IsoDate {
  return toIsoDate(utcMidnight(date) + days * ONE_DAY_MS);
}

export function daysBetween(from: IsoDate, to: IsoDate): number {
  return (utcMidnight(to) - utcMidnight(from)) / ONE_DAY_MS;
}

export const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** Returns the day of the week. 0 is Sunday. */
export function weekday(date: IsoDate): number {
  return new Date(utcMidnight(date)).getUTCDay();
}

export function nthWeekday(year: number, month: number, day: number, nth: number): IsoDate {
  const first = toIsoDate(Date.UTC(year, month - 1, 1));
  return addDays(first, ((day - weekday(first) + 7) % 7) + 7 * (nth - 1));
}

const clockChangesByYear = new Map<number, readonly [number, number]>();

function clockChanges(year: number): readonly [number, number] {
  const known = clockChangesByYear.get(year);
  if (known !== undefined) return known;
  const [first, last] = daylightSavingDates(year);
  // Clocks change at 02:00 local time, which is EST in spring and EDT in fall.
  const found = [utcMidnight(first) + 7 * HOUR_MS, utcMidnight(last) + 6 * HOUR_MS] as const;
  clockChangesByYear.set(year, found);
  return found;
}

/**
 * Returns the days on which daylight saving time starts and ends, for years since 1976: the second Sunday of March and
 * the first Sunday of November (Energy Policy Act of 2005); before 2007, the first Sunday of April and the last Sunday
 * of October (15 U.S.C. 260a); before 1987, a start on the last Sunday of April.
 */
function daylightSavingDates(year: number): readonly [IsoDate, IsoDate] {
  if (year >= 2007) return [nthWeekday(year, 3, 0, 2), nthWeekday(year, 11, 0, 1)];
  const spring = year >= 1987 ? nthWeekday(year, 4, 0, 1) : addDays(nthWeekday(year, 5, 0, 1), -7);
  return [spring, addDays(nthWeekday(year, 11, 0, 1), -7)];
}

/** Returns how many hours New York is behind UTC: 4 in summer, 5 in winter. Hundreds of times faster than Intl. */
function hoursBehind(time: number): number {
  const [spring, autumn] = clockChanges(new Date(time).getUTCFullYear());
  return time >= spring && time < autumn ? 4 : 5;
}

export function newYorkDate(time: number): IsoDate {
  return toIsoDate(time - hoursBehind(time) * HOUR_MS);
}

/** Returns the instant of a time of day, `HH:MM`, in New York. `24:00` is the next midnight. */
export function newYorkInstant(date: IsoDate, wall: string): number {
  const [hours = 0, minutes = 0] = wall.split(':').map(Number);
  const asUtc = utcMidnight(date) + hours * HOUR_MS + minutes * 60_000;
  return asUtc + hoursBehind(asUtc + 5 * HOUR_MS) * HOUR_MS;
}

/** Returns an RFC 3339 timestamp with millisecond precision and New York's UTC offset, like Alpaca's clock. */
export function newYorkTimestamp(time: number): string {
  const behind = hoursBehind(time);
  return `${new Date(time - behind * HOUR_MS).toISOString().slice(0, -1)}-0${behind}:00`;
}

export function newYorkMidnight(now: number): number {
  return newYorkInstant(newYorkDate(now), '00:00');
}
