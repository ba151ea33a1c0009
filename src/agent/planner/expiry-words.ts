import type { Words } from './words.ts';

const MONTHS = 'january february march april may june july august september october november december'.split(
  ' ',
);

/**
 * Reads `Dec 18`, `18 Dec 2026`, `12/18`, `2026-12-18`, or a month.
 * @param afterSymbol whether the symbol was read: before it, a month may be a ticker
 * @returns `12-18`, `2026-12-18`, `12`, `2026-12`; undefined if no date comes next
 */
export function readExpiry(words: Words, afterSymbol: boolean): string | undefined {
  const isNamed = words.takeAny(
    'that expires on',
    'that expires in',
    'that expires',
    'expiring on',
    'expiring in',
    'expiring',
    'expires',
    'expiration',
    'expiry',
    'exp',
  );
  const lead = words.peek().toLowerCase();
  const at = ['for', 'in', 'on', 'the'].includes(lead) ? 1 : 0;
  const found = dateAt(words, at, isNamed || afterSymbol);
  if (found === undefined) return undefined;
  for (let taken = 0; taken < at + found.count; taken += 1) words.next();
  return found.expiry;
}

function dateAt(
  words: Words,
  at: number,
  monthAlone: boolean,
): { readonly expiry: string; readonly count: number } | undefined {
  const word = words.peek(at);
  const iso = /^20\d\d-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?$/.exec(word);
  if (iso !== null) return { expiry: iso[0], count: 1 };
  const slashed = /^(\d{1,2})\/(\d{1,2})(?:\/(20\d\d|\d\d))?$/.exec(word);
  if (slashed !== null) {
    const [, month = '', day = '', year] = slashed;
    const expiry = dated(Number(month), day, year?.padStart(4, '20'));
    return expiry === undefined ? undefined : { expiry, count: 1 };
  }
  const first = monthOf(word);
  if (first !== undefined) {
    const day = dayOf(words.peek(at + 1));
    const isDay = day !== undefined && !/^(?:strike|calls?|puts?)$/i.test(words.peek(at + 2));
    if (isDay) return withYear(words, at + 2, first, day, 2);
    return monthAlone ? withYear(words, at + 1, first, undefined, 1) : undefined;
  }
  const month = monthOf(words.peek(at + 1));
  const day = dayOf(word);
  return month === undefined || day === undefined ? undefined : withYear(words, at + 2, month, day, 2);
}

function withYear(words: Words, at: number, month: number, day: string | undefined, count: number) {
  const year = /^20\d\d$/.test(words.peek(at)) ? words.peek(at) : undefined;
  const expiry = dated(month, day, year);
  return expiry === undefined ? undefined : { expiry, count: year === undefined ? count : count + 1 };
}

function dated(month: number, day: string | undefined, year: string | undefined): string | undefined {
  if (month < 1 || month > 12 || (day !== undefined && (Number(day) < 1 || Number(day) > 31)))
    return undefined;
  return [year, String(month).padStart(2, '0'), day?.padStart(2, '0')]
    .filter((part) => part !== undefined)
    .join('-');
}

/** By name or its first letters. */
export function monthOf(word: string): number | undefined {
  const lower = word.toLowerCase();
  const at = MONTHS.findIndex((name) => [name, name.slice(0, 3), name.slice(0, 4)].includes(lower));
  return at < 0 ? undefined : at + 1;
}

function dayOf(word: string): string | undefined {
  return /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word)?.[1];
}
