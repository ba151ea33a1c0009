import { addDays, dayBegan, type IsoDate, newYorkDate, newYorkInstant, weekday } from '../new-york-time.ts';

/** On which days; `day` is every trading day, `month` the first of each. */
export const standingDays = ['day', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'month'] as const;
export type StandingDay = (typeof standingDays)[number];

/** `at` is a wall time in New York, `HH:MM`. */
export interface Recurring {
  every: StandingDay;
  at: string;
}

/*
 * When a recurring order is due, by New York's calendar. Where the market is closed then, or the gateway was down, it is
 * placed once, at the same time of the next session (at once where that is past), as long as the next day that it is due has
 * not begun. So each of its times comes to one order at most, and two never fall on one day.
 */

const SUNDAY_TO_SATURDAY = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** The first time after an instant, milliseconds since the epoch. */
export function nextDue({ every, at }: Recurring, after: number): number {
  for (let date = newYorkDate(after); ; date = addDays(date, 1)) {
    const due = newYorkInstant(date, at);
    if (due > after && isDay(every, date)) return due;
  }
}

/** How many times fall between two instants, the second not counted. */
export function timesBetween(when: Recurring, from: number, until: number): number {
  let times = 0;
  for (let due = nextDue(when, from); due < until; due = nextDue(when, due)) times++;
  return times;
}

/** Until when it may still be placed that was due then. */
export function dueUntil(when: Recurring, due: number): number {
  return dayBegan(nextDue(when, due));
}

/** Of what was due at `due` and after, the latest that may still be placed, or the first that is yet to come. */
export function latestDue(when: Recurring, due: number, now: number): number {
  let latest = due;
  while (dueUntil(when, latest) <= now) latest = nextDue(when, latest);
  return latest;
}

/** Whether what was due at `due` is to be placed now that the market is open: not before its time of the day. */
export function isTime({ at }: Recurring, due: number, now: number): boolean {
  return now >= Math.max(due, newYorkInstant(newYorkDate(now), at));
}

function isDay(every: Recurring['every'], date: IsoDate): boolean {
  const day = SUNDAY_TO_SATURDAY[weekday(date)] ?? '';
  if (every === 'month') return date.endsWith('-01');
  return every === 'day' ? !['saturday', 'sunday'].includes(day) : every === day;
}
