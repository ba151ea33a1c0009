import { type IsoDate, newYorkDate, newYorkTimestamp, weekday } from './new-york-time.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Formats a date as `Dec 24`. */
export function formatDayOfMonth(date: IsoDate): string {
  const [, month = '', day = ''] = date.split('-');
  return `${MONTHS[Number(month) - 1] ?? month} ${Number(day)}`;
}

/** Formats a date as `Dec 24, 2026`. */
export const formatDate = (date: IsoDate): string => `${formatDayOfMonth(date)}, ${date.slice(0, 4)}`;

/** Formats a New York day: `Fri, Nov 27`. */
export function formatDay(time: number): string {
  const date = newYorkDate(time);
  return `${DAY_NAMES[weekday(date)]}, ${formatDayOfMonth(date)}`;
}

/** Formats a time of day, `HH:MM`, as `9:30 AM`. */
export function formatTimeOfDay(wall: string): string {
  const [hours = 0, minutes = '00'] = [Number(wall.slice(0, 2)), wall.slice(3, 5)];
  return `${hours % 12 === 0 ? 12 : hours % 12}:${minutes} ${hours % 24 < 12 ? 'AM' : 'PM'}`;
}

/** Formats a time as `Nov 24, 2026, 12:00 PM New York time`. */
export function formatNewYorkTime(at: string): string {
  const time = Date.parse(at);
  return `${formatDate(newYorkDate(time))}, ${formatTimeOfDay(newYorkTimestamp(time).slice(11, 16))} New York time`;
}

/** Formats a time of the coming or past days as `Mon, Nov 30, 10:00 AM New York time`. */
export function formatNewYorkDateTime(at: string): string {
  const time = Date.parse(at);
  return `${formatDay(time)}, ${formatTimeOfDay(newYorkTimestamp(time).slice(11, 16))} New York time`;
}
