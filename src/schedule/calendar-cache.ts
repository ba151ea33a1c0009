import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from '../machine/private-file.ts';
import { type TradingDay, tradingDaySchema } from '../trading/activity.ts';
import { addDays, newYorkDate } from '../trading/new-york-time.ts';
import { DAY_MS } from '../values/durations.ts';

/** Maximum age in milliseconds. Special closings are announced days ahead, so reading the calendar daily is enough. */
const MAX_CALENDAR_AGE_MS = 20 * 3_600_000;
/** Number of past days in the calendar. Missed run times are detected only within these days. */
const DAYS_BACK = 31;
/** Number of future days in the calendar. The gateway allows at most 400 days in total. */
const DAYS_AHEAD = 360;

const knownCalendarSchema = z.object({
  /** Milliseconds since the epoch. */
  fetched_at: z.int(),
  start: z.iso.date(),
  end: z.iso.date(),
  days: z.array(tradingDaySchema),
});
export type CachedCalendar = z.output<typeof knownCalendarSchema>;

export interface CalendarStore {
  /** Returns undefined if there is no cached calendar, or it can't be read. */
  get(): Promise<CachedCalendar | undefined>;
  put(calendar: CachedCalendar): Promise<void>;
}

export function readCachedCalendar(folder: string, profile: string): CachedCalendar | undefined {
  try {
    const parsed = knownCalendarSchema.safeParse(JSON.parse(readFileSync(calendarPath(folder, profile), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

export function createCalendarFileStore(folder: string, profile: string): CalendarStore {
  return {
    get: async () => readCachedCalendar(folder, profile),
    put: async (calendar) => writePrivateFile(calendarPath(folder, profile), `${JSON.stringify(calendar)}\n`),
  };
}

/**
 * Returns the broker's calendar. Uses the cached calendar if it is recent; otherwise reads a new one. If reading fails,
 * returns the cached calendar, provided that it covers today.
 * @param ask reads the gateway's calendar
 * @throws the error of `ask`, if the cached calendar does not cover today
 */
export async function loadCurrentCalendar(options: {
  readonly store: CalendarStore;
  readonly now: number;
  readonly ask: (range: { start: string; end: string }) => Promise<TradingDay[]>;
}): Promise<CachedCalendar> {
  const { store: place, now, ask } = options;
  const kept = await place.get();
  const today = newYorkDate(now);
  const reaches = kept !== undefined && kept.start <= today && today <= kept.end;
  const age = kept === undefined ? Number.POSITIVE_INFINITY : now - kept.fetched_at;
  // If the age is negative, the clock was wrong when the calendar was read, or is wrong now.
  if (reaches && age >= -DAY_MS && age < MAX_CALENDAR_AGE_MS) return kept;
  const range = { start: addDays(today, -DAYS_BACK), end: addDays(today, DAYS_AHEAD) };
  try {
    const asked = { fetched_at: now, ...range, days: await ask(range) };
    await place.put(asked);
    return asked;
  } catch (error) {
    if (reaches) return kept;
    throw error;
  }
}

const calendarPath = (folder: string, profile: string) => join(folder, `calendar-${profile}.json`);
