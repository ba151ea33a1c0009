import { phrase } from '../../text/phrase.ts';
import { formatTimeOfDay } from '../../trading/date-words.ts';
import { type Recurrence, recurrences } from '../../trading/mandate/standing-order.ts';
import type { ScheduleMention } from './intent.ts';
import type { Item } from './item.ts';
import { NotUnderstoodError } from './refusal.ts';

/* Reads days, dates and times from the items of a slot. */

const MONTHS = 'january february march april may june july august september october november december'.split(' ');

export function recurrenceOf(items: readonly Item[]): Recurrence {
  const tagged = recurrences.find((one) =>
    items.some(({ tags }) => tags.includes(one) && one !== 'day' && one !== 'month'),
  );
  if (tagged !== undefined) return tagged;
  const name = items.flatMap(
    ({ lower }) => recurrences.find((one) => one.startsWith(lower.slice(0, 3)) && lower.length > 2) ?? [],
  );
  return name.find((one) => one !== 'day' && one !== 'month') ?? 'day';
}

function monthOf(word: string): number | undefined {
  const lower = word.toLowerCase().replace('.', '');
  const at = MONTHS.findIndex((name) => name === lower || name.slice(0, 3) === lower || name.slice(0, 4) === lower);
  return at < 0 ? undefined : at + 1;
}

/** Returns the time as `HH:MM` in New York. @throws {NotUnderstoodError} for a time outside market hours */
export function timeOf(items: readonly Item[]): ScheduleMention {
  const text = items
    .map(({ lower }) => lower)
    .join(' ')
    .replaceAll('.', '');
  const [, hour = '', minute = '00', half] = /(\d{1,2})(?::(\d\d))? ?(am|pm)?/.exec(text) ?? [];
  const hours = (half === undefined ? Number(hour) : Number(hour) % 12) + (half === 'pm' ? 12 : 0);
  const at = `${String(hours).padStart(2, '0')}:${minute}`;
  if (/^(09:[3-5]\d|1[0-4]:[0-5]\d|15:[0-5]\d)$/.test(at)) return { at };
  throw new NotUnderstoodError(
    half === undefined && hours < 4
      ? phrase`Do you mean ${formatTimeOfDay(`${hours + 12}:${minute}`)} New York time?`
      : phrase`The market is closed at ${formatTimeOfDay(at)} New York time.`,
    phrase`Give a time from 9:30 AM to 3:59 PM New York time, as in "at 11:30".`,
  );
}

/** Returns the end of a standing order. @throws {NotUnderstoodError} for "next Friday" */
export function endOf(items: readonly Item[]): ScheduleMention {
  const [lead] = items;
  const last = items.at(-1);
  if (items.some(({ tags, lower }) => tags.includes('next') && lower === 'next')) {
    throw new NotUnderstoodError(
      phrase`Which ${last?.text} is "next ${last?.text}"?`,
      phrase`Say the date, as in "${lead?.lower} December 18", or "${lead?.lower} ${last?.text}" for the first one from today.`,
    );
  }
  const isDay = last?.tags.some((tag) => ['weekday', 'weekend', 'today'].includes(tag)) === true;
  const date = dateOf(items.slice(1)) ?? (isDay ? last?.lower : undefined);
  if (date === undefined)
    throw new NotUnderstoodError(
      phrase`"${last?.text}" is not a day.`,
      phrase`Say the date, as in "${lead?.lower} December 18".`,
    );
  return lead?.tags.includes('before') ? { before: date } : { until: date };
}

/** Returns `12-18`, `2026-12-18`, `12` or `2026-12`. Returns undefined if the items are not a date. */
export function dateOf(items: readonly Item[]): string | undefined {
  const iso = items.find(({ tags }) => tags.includes('date'))?.text;
  if (iso !== undefined) return slashedDate(iso);
  const month = items
    .map(({ lower, tags }) => (tags.includes('month_name') ? monthOf(lower) : undefined))
    .find(Boolean);
  if (month === undefined) return undefined;
  const numbers = items.flatMap(({ text }) => (/^\d/.test(text) ? [Number.parseInt(text, 10)] : []));
  const year = numbers.find((number) => number > 2_000);
  const day = numbers.find((number) => number <= 31);
  if (numbers.length > (year === undefined ? 0 : 1) + (day === undefined ? 0 : 1)) return undefined;
  return formatDate(month, day, year);
}

function slashedDate(text: string): string | undefined {
  const parts = /^(\d{1,2})\/(\d{1,2})(?:\/(20\d\d|\d\d))?$/.exec(text);
  if (parts === null) return text;
  return formatDate(
    Number(parts[1]),
    Number(parts[2]),
    parts[3] === undefined ? undefined : Number(parts[3].padStart(4, '20')),
  );
}

function formatDate(month: number, day: number | undefined, year: number | undefined): string | undefined {
  if (month < 1 || month > 12 || (day !== undefined && (day < 1 || day > 31))) return undefined;
  return [year, String(month).padStart(2, '0'), day === undefined ? undefined : String(day).padStart(2, '0')]
    .filter((part) => part !== undefined)
    .join('-');
}
