import {
  addDays,
  type IsoDate,
  newYorkDate,
  newYorkInstant,
  newYorkMidnight,
  WEEKDAYS,
  weekday,
} from '../new-york-time.ts';

export const recurrences = ['day', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'month'] as const;
export type Recurrence = (typeof recurrences)[number];

/** A recurring time. `at` is the New York time of day, `HH:MM`. */
export interface RecurringTime {
  every: Recurrence;
  at: string;
}

/*
 * Due times of a recurring order in the New York calendar. If the market is closed or the gateway is down, the order is
 * placed once at the same time of the next session (immediately if that time has passed), unless the next due day has
 * started. Each due time therefore results in at most one order, and no day has two orders.
 */

export function nextDueTime({ every, at }: RecurringTime, after: number): number {
  for (let date = newYorkDate(after); ; date = addDays(date, 1)) {
    const due = newYorkInstant(date, at);
    if (due > after && matchesRecurrence(every, date)) return due;
  }
}

/** Returns the number of due times after `from` and before `until`. */
export function countDueTimes(when: RecurringTime, from: number, until: number): number {
  let times = 0;
  for (let due = nextDueTime(when, from); due < until; due = nextDueTime(when, due)) times++;
  return times;
}

/** Returns the time until which an order due at `due` may still be placed. */
export function placementDeadline(when: RecurringTime, due: number): number {
  return newYorkMidnight(nextDueTime(when, due));
}

/** Returns the first due time, at or after `due`, whose order may still be placed. It may be in the future. */
export function firstPlaceableDueTime(when: RecurringTime, due: number, now: number): number {
  let latest = due;
  while (placementDeadline(when, latest) <= now) latest = nextDueTime(when, latest);
  return latest;
}

/**
 * Returns the earliest time at which an order that was due at `due` may be placed if the market is open then: `due`
 * itself or, on a later day, the usual time of that day.
 */
export function placeableFrom({ at }: RecurringTime, due: number, now: number): number {
  return Math.max(due, newYorkInstant(newYorkDate(now), at));
}

function matchesRecurrence(every: RecurringTime['every'], date: IsoDate): boolean {
  const day = WEEKDAYS[weekday(date)] ?? '';
  if (every === 'month') return date.endsWith('-01');
  return every === 'day' ? !['saturday', 'sunday'].includes(day) : every === day;
}
