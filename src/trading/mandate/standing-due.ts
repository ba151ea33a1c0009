import {
  addDays,
  dayBegan,
  type IsoDate,
  newYorkDate,
  newYorkInstant,
  WEEKDAYS,
  weekday,
} from '../new-york-time.ts';

export const standingDays = ['day', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'month'] as const;
export type StandingDay = (typeof standingDays)[number];

/** `at` is a wall time in New York, `HH:MM`. */
export interface Recurring {
  every: StandingDay;
  at: string;
}

/*
 * When a recurring order is due, by New York's calendar. If the market is closed or the gateway down, it is placed
 * once, at the same time of the next session (at once if that has passed), unless the next due day has begun. So
 * each due time yields at most one order, and two never fall on one day.
 */

export function nextDue({ every, at }: Recurring, after: number): number {
  for (let date = newYorkDate(after); ; date = addDays(date, 1)) {
    const due = newYorkInstant(date, at);
    if (due > after && isDay(every, date)) return due;
  }
}

/** How many due times lie between two instants, the second excluded. */
export function timesBetween(when: Recurring, from: number, until: number): number {
  let times = 0;
  for (let due = nextDue(when, from); due < until; due = nextDue(when, due)) times++;
  return times;
}

/** Until when an order due then may still be placed. */
export function dueUntil(when: Recurring, due: number): number {
  return dayBegan(nextDue(when, due));
}

/** The latest due time at or after `due` that may still be placed, or the first one in the future. */
export function latestDue(when: Recurring, due: number, now: number): number {
  let latest = due;
  while (dueUntil(when, latest) <= now) latest = nextDue(when, latest);
  return latest;
}

/** Whether an order due at `due` should be placed now that the market is open: never before its time of day. */
export function isTime({ at }: Recurring, due: number, now: number): boolean {
  return now >= Math.max(due, newYorkInstant(newYorkDate(now), at));
}

function isDay(every: Recurring['every'], date: IsoDate): boolean {
  const day = WEEKDAYS[weekday(date)] ?? '';
  if (every === 'month') return date.endsWith('-01');
  return every === 'day' ? !['saturday', 'sunday'].includes(day) : every === day;
}
