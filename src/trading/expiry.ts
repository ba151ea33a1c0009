import { addDays, type IsoDate, nthWeekday, weekday } from './new-york-time.ts';

const [THURSDAY, FRIDAY] = [4, 5];

/**
 * Matches an expiry as people write it: a day or month (`2026-12-18`, `12-18`, `2026-12`, `12`), the third Friday or the
 * last expiry of a month (`12-third`, `next-month-last`), or a coming Friday (`friday`, `second-friday`).
 */
export const expiryPattern =
  /^((20[0-9]{2}-)?(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]|third|last))?|(this|next)-month(-third|-last)?|(second-)?friday)$/;

/** Splits `12-third` into the month and the part of it. */
function splitPart(said: string): { readonly when: string; readonly part: string | undefined } {
  const [, when = said, part] = /^(.*)-(third|last)$/.exec(said) ?? [];
  return { when, part };
}

/** Returns whether an expiry may stand for several days, of which the last one is meant. */
export const isLastOfSeveral = (said: string): boolean => splitPart(said).part !== undefined || said.endsWith('friday');

/**
 * Returns whether a date is the given day or in the given month. Without a year, any year matches. Of an expiry that
 * depends on the current date, only the day of the week and the part of the month are compared.
 */
export function matchesExpiry(date: string, said: string): boolean {
  const { when, part } = splitPart(said);
  if (when.endsWith('friday')) return isFriday(date);
  if (part === 'third' && !isThirdFriday(date)) return false;
  if (when.endsWith('-month')) return true;
  const whole = /^\d{4}-/.test(when) ? date : date.slice('2026-'.length);
  return whole === when || whole.startsWith(`${when}-`);
}

/** Returns whether options may expire on that day instead of a Friday: the day itself, or the Thursday before a holiday. */
const isFriday = (date: IsoDate) => [THURSDAY, FRIDAY].includes(weekday(date));

function isThirdFriday(date: IsoDate): boolean {
  const friday = weekday(date) === THURSDAY ? addDays(date, 1) : date;
  const day = Number(friday.slice('2026-12-'.length));
  return isFriday(date) && day > 14 && day <= 21;
}

/** Returns the first and last date of the given expiry. Without a year, uses its next occurrence. */
export function expiryRange(said: string, today: string): { readonly from: string; readonly to: string } {
  const { when, part } = splitPart(said);
  if (when.endsWith('friday')) {
    const first = addDays(today, (FRIDAY - weekday(today) + 7) % 7);
    return upToFriday(when === 'friday' ? first : addDays(first, 7));
  }
  if (when.endsWith('-month')) {
    const [year = 0, month = 0] = today.split('-').map(Number);
    const first = new Date(Date.UTC(year, month - (when === 'this-month' ? 1 : 0), 1)).toISOString();
    return expiryRange(said.replace(when, first.slice(0, '2026-12'.length)), today);
  }
  if (!/^\d{4}-/.test(when)) {
    const year = Number(today.slice(0, 4));
    const isOver = `${year}-${when}` < today.slice(0, `${year}-${when}`.length);
    return expiryRange(`${isOver ? year + 1 : year}-${said}`, today);
  }
  if (when.length > '2026-12'.length) return { from: when, to: when };
  const [year = 0, month = 0] = when.split('-').map(Number);
  const first = `${when}-01`;
  if (part === 'third') return upToFriday(nthWeekday(year, month, FRIDAY, 3));
  return { from: first, to: new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10) };
}

/** Returns the Friday and the day before it, on which options expire if the Friday is a holiday. */
const upToFriday = (friday: IsoDate) => ({ from: addDays(friday, -1), to: friday });
