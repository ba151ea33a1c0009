import { english, type Say } from '../text/phrase.ts';
import { type IsoDate, newYorkDate, newYorkTimestamp, weekday } from './new-york-time.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const DAY_NAMES = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Formats a date as `Dec 24`. */
export function formatDayOfMonth(date: IsoDate): string {
  const [, month = '', day = ''] = date.split('-');
  return `${MONTHS[Number(month) - 1] ?? month} ${Number(day)}`;
}

/** Formats a date as `Dec 24, 2026`, or in another language's format. @param locale BCP 47; undefined for English */
export function formatDate(date: IsoDate, locale?: string): string {
  if (locale === undefined) return `${formatDayOfMonth(date)}, ${date.slice(0, 4)}`;
  const style = { dateStyle: 'long', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(locale, style).format(Date.parse(date));
}

/** Formats a New York day: `Fri, Nov 27`. */
export function formatDay(time: number): string {
  const date = newYorkDate(time);
  return `${DAY_NAMES[weekday(date)]}, ${formatDayOfMonth(date)}`;
}

/** Formats a time of day, `HH:MM`, as `9:30 AM` in English and as `9:30` in other languages. */
export function formatTimeOfDay(wall: string, locale?: string): string {
  const [hours = 0, minutes = '00'] = [Number(wall.slice(0, 2)), wall.slice(3, 5)];
  if (locale !== undefined) return `${hours}:${minutes}`;
  return `${hours % 12 === 0 ? 12 : hours % 12}:${minutes} ${hours % 24 < 12 ? 'AM' : 'PM'}`;
}

/** Formats a time as `Nov 24, 2026, 12:00 PM New York time`. */
export function formatNewYorkTime(at: string): string {
  const time = Date.parse(at);
  return `${formatDate(newYorkDate(time))}, ${formatTimeOfDay(newYorkTimestamp(time).slice(11, 16))} New York time`;
}

/** Formats a time without its year: `Mon, Nov 30, 10:00 AM New York time`. */
export function formatNewYorkDateTime(at: string, say: Say = english): string {
  const time = Date.parse(at);
  const day = say.locale === undefined ? formatDay(time) : formatDate(newYorkDate(time), say.locale);
  return say`${day}, ${formatTimeOfDay(newYorkTimestamp(time).slice(11, 16), say.locale)} New York time`;
}

/**
 * Formats a time in the time zone of this machine, and the exchange's time of day if it differs: `2026-11-27 22:00
 * GMT+1 (4:00 PM in New York)`. Other text is returned unchanged. @param at RFC 3339
 */
export function formatTimeWithZone(at: string, say: Say = english): string {
  const time = Date.parse(at);
  if (Number.isNaN(time)) return at;
  const parts = new Intl.DateTimeFormat('en-US', {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).formatToParts(time);
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((one) => one.type === type)?.value ?? '';
  const [date, wall] = [`${part('year')}-${part('month')}-${part('day')}`, `${part('hour')}:${part('minute')}`];
  const exchange = newYorkTimestamp(time);
  const same = exchange.startsWith(`${date}T${wall}`);
  const own = `${date} ${wall} ${part('timeZoneName')}`;
  return same ? own : say`${own} (${formatTimeOfDay(exchange.slice(11, 16), say.locale)} in New York)`;
}
