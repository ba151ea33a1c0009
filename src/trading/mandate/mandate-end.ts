import { TradeAgentError } from '../../errors/errors.ts';
import { formatDay } from '../date-words.ts';
import { addDays, type IsoDate, newYorkDate, newYorkInstant, WEEKDAYS, weekday } from '../new-york-time.ts';

/** Matches a day as people write it: a date, a date without a year (`12-04`), or a weekday. */
export const dayPattern =
  /^((20[0-9]{2}-)?(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])|today|tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday)$/;

/** The last day of the mandate (`until`), or the day before which the mandate ends (`before`). */
export type MentionedEnd = { readonly until: string } | { readonly before: string };

const SESSION_CLOSE = '16:00';

/**
 * Returns when the mandate ends, in milliseconds since the epoch: midnight in New York after the last day. With
 * `before: friday`, the last day is Thursday.
 * @throws {TradeAgentError} `usage` if the day is ambiguous (today's weekday) or does not exist, or if no trading
 * session is left before the end
 */
export function parseMandateEnd(end: MentionedEnd, now: number): number {
  const isBefore = 'before' in end;
  const said = isBefore ? end.before : end.until;
  const last = isBefore ? addDays(parseDay(said, now), -1) : parseDay(said, now);
  const words = `${isBefore ? 'before' : 'until'} ${said}`;
  if (!hasSession(last, now)) {
    throw new TradeAgentError('usage', `there is no trading day left ${words}`, {
      hint: 'Use a later day, such as "until 2026-12-18".',
    });
  }
  return newYorkInstant(addDays(last, 1), '00:00');
}

function parseDay(said: string, now: number): IsoDate {
  const today = newYorkDate(now);
  if (said === 'today') return today;
  if (said === 'tomorrow') return addDays(today, 1);
  const day = WEEKDAYS.indexOf(said);
  if (day >= 0) {
    const ahead = (day - weekday(today) + 7) % 7;
    if (ahead > 0) return addDays(today, ahead);
    const [first, second] = [today, addDays(today, 7)];
    throw new TradeAgentError('usage', `today is ${said}: which ${said} do you mean?`, {
      hint: `Use a date: ${first} or ${second}.`,
    });
  }
  const [year, rest] = said.length > 5 ? [said.slice(0, 4), said.slice(5)] : [today.slice(0, 4), said];
  const date = `${year}-${rest}`;
  if (Number.isNaN(Date.parse(date)) || addDays(date, 0) !== date) {
    throw new TradeAgentError('usage', `${date} is not a date`, { hint: 'Use a valid date.' });
  }
  return said.length > 5 || date >= today ? date : `${Number(year) + 1}-${rest}`;
}

function hasSession(last: IsoDate, now: number): boolean {
  const today = newYorkDate(now);
  const first = now < newYorkInstant(today, SESSION_CLOSE) ? today : addDays(today, 1);
  for (let date = first; date <= last; date = addDays(date, 1)) {
    if (![0, 6].includes(weekday(date))) return true;
  }
  return false;
}

/** Formats the mandate's last day with its weekday. @param expiresAt RFC 3339 */
export function formatLastDayWithWeekday(expiresAt: string): string {
  return formatDay(Date.parse(expiresAt) - 1);
}
