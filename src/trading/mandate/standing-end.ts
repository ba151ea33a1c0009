import { TradeAgentError } from '../../errors/errors.ts';
import { addDays, type IsoDate, newYorkDate, newYorkInstant, weekday } from '../new-york-time.ts';
import { dayWords } from './standing-words.ts';

/** A day as people say one: a date, one of this year or the next (`12-04`), or the weekday that comes next. */
export const saidDayPattern =
  /^((20[0-9]{2}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])|today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday)$/;

/** The last day that counts, or the first that no longer does. */
export type SaidEnd = { readonly until: string } | { readonly before: string };

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const CLOSES = '16:00';

/**
 * When something ends that is to last until then, by New York's calendar: the midnight after its last day, milliseconds since
 * the epoch. `before: friday` ends with Thursday.
 * @throws {TradeAgentError} `usage` where the day may be two (a weekday that is today), there is no such day, or no session is
 *   left until then
 */
export function endOf(end: SaidEnd, now: number): number {
  const isBefore = 'before' in end;
  const said = isBefore ? end.before : end.until;
  const last = isBefore ? addDays(dateOf(said, now), -1) : dateOf(said, now);
  const words = `${isBefore ? 'before' : 'until'} ${said}`;
  if (!hasSession(last, now)) {
    throw new TradeAgentError('usage', `there is no trading day left ${words}`, {
      hint: 'Name a later day, as in "until 2026-12-18".',
    });
  }
  return newYorkInstant(addDays(last, 1), '00:00');
}

function dateOf(said: string, now: number): IsoDate {
  const today = newYorkDate(now);
  if (said === 'today') return today;
  if (said === 'tomorrow') return addDays(today, 1);
  const day = WEEKDAYS.indexOf(said);
  if (day >= 0) {
    const ahead = (day - weekday(today) + 7) % 7;
    if (ahead > 0) return addDays(today, ahead);
    const [first, second] = [today, addDays(today, 7)];
    throw new TradeAgentError('usage', `today is ${said}: which one do you mean?`, {
      hint: `Name the date: ${first} or ${second}.`,
    });
  }
  const [year, rest] = said.length > 5 ? [said.slice(0, 4), said.slice(5)] : [today.slice(0, 4), said];
  const date = `${year}-${rest}`;
  if (Number.isNaN(Date.parse(date)) || addDays(date, 0) !== date) {
    throw new TradeAgentError('usage', `there is no day ${date}`, { hint: 'Name a date that there is.' });
  }
  return said.length > 5 || date >= today ? date : `${Number(year) + 1}-${rest}`;
}

/** Whether there is a weekday until then whose session is not over. Holidays are the market's own to know. */
function hasSession(last: IsoDate, now: number): boolean {
  const today = newYorkDate(now);
  const first = now < newYorkInstant(today, CLOSES) ? today : addDays(today, 1);
  for (let date = first; date <= last; date = addDays(date, 1)) {
    if (![0, 6].includes(weekday(date))) return true;
  }
  return false;
}

/** The last day in words: `Thu 3 Dec`. @param expiresAt RFC 3339 */
export function lastDayWords(expiresAt: string): string {
  return dayWords(Date.parse(expiresAt) - 1);
}
