import { formatDate, formatDayOfMonth } from '../date-words.ts';
import { addDays, newYorkDate, weekday } from '../new-york-time.ts';

/** How often a mandate may be used. `on_demand` allows any time, but only a few orders in total. */
export const cadences = ['on_demand', 'daily', 'weekly', 'monthly'] as const;
export type Cadence = (typeof cadences)[number];

export const slotPattern = /^\d{4}-(W\d{2}|\d{2}(-\d{2})?)$/;

/** Returns the slot (period) of an instant by New York date: `2026-11-25`, `2026-W48` (ISO 8601) or `2026-11`. */
export function currentSlot(cadence: Cadence, now: number): string | undefined {
  const date = newYorkDate(now);
  switch (cadence) {
    case 'on_demand':
      return undefined;
    case 'daily':
      return date;
    case 'weekly':
      return isoWeek(date);
    case 'monthly':
      return date.slice(0, 7);
  }
}

/** Returns the ISO 8601 week. A week belongs to the year of its Thursday. */
function isoWeek(date: string): string {
  const thursday = addDays(date, 4 - (weekday(date) || 7));
  const year = thursday.slice(0, 4);
  const days = (Date.parse(`${thursday}T00:00:00Z`) - Date.parse(`${year}-01-01T00:00:00Z`)) / 86_400_000;
  return `${year}-W${String(Math.floor(days / 7) + 1).padStart(2, '0')}`;
}

/** Describes a slot: `Nov 25, 2026`, `week of Nov 23, 2026` or `Nov 2026`. */
export function describeSlot(slot: string): string {
  const [year = '', part = '', day] = slot.split('-');
  if (day !== undefined) return formatDate(slot);
  if (!part.startsWith('W')) return `${formatDayOfMonth(`${slot}-01`).slice(0, 3)} ${year}`;
  // January 4 is always in week 1 (ISO 8601).
  const fourth = `${year}-01-04`;
  return `week of ${formatDate(addDays(fourth, 7 * (Number(part.slice(1)) - 1) - ((weekday(fourth) + 6) % 7)))}`;
}

/** Describes a cadence: `once a week for each symbol and side`, `on demand`. */
export function describeCadence(cadence: Cadence, perSlot: number): string {
  if (cadence === 'on_demand') return 'on demand';
  const each = { daily: 'a day', weekly: 'a week', monthly: 'a month' }[cadence];
  const times = perSlot === 1 ? 'once' : perSlot === 2 ? 'twice' : `${perSlot} times`;
  return `${times} ${each} for each symbol and side`;
}
