import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writePrivateFile } from '../machine/private-file.ts';
import { type TradingDay, tradingDaySchema } from '../trading/activity.ts';
import { addDays, newYorkDate } from '../trading/new-york-time.ts';
import { DAY_MS } from '../values/durations.ts';

/** A closing by proclamation comes days before, so a calendar is asked for once a day. */
const FRESH_MS = 20 * 3_600_000;
/** Missed moments are looked for this far back. */
const DAYS_BACK = 31;
/** What the gateway gives at once is 400 days. */
const DAYS_AHEAD = 360;

const knownCalendarSchema = z.object({
  /** Milliseconds since the epoch. */
  fetched_at: z.int(),
  start: z.iso.date(),
  end: z.iso.date(),
  days: z.array(tradingDaySchema),
});
export type KnownCalendar = z.output<typeof knownCalendarSchema>;

/** Where a calendar is kept from one day to the next. */
export interface CalendarPlace {
  /** Undefined where none is kept, or it can't be read. */
  get(): Promise<KnownCalendar | undefined>;
  put(calendar: KnownCalendar): Promise<void>;
}

/** The calendar as it was last asked for; undefined where there is none, or it can't be read. */
export function cachedCalendar(folder: string, profile: string): KnownCalendar | undefined {
  try {
    const parsed = knownCalendarSchema.safeParse(JSON.parse(readFileSync(fileOf(folder, profile), 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Then it is asked for anew.
    return undefined;
  }
}

/** A file of the agent's data folder. */
export function calendarFile(folder: string, profile: string): CalendarPlace {
  return {
    get: async () => cachedCalendar(folder, profile),
    put: async (calendar) => writePrivateFile(fileOf(folder, profile), `${JSON.stringify(calendar)}\n`),
  };
}

/**
 * The broker's calendar: the one kept where it is of today, else a new one; where none can be had, the one kept as long
 * as it reaches to today.
 * @param ask the gateway's calendar
 * @throws what `ask` throws, where the one kept does not reach
 */
export async function currentCalendar(options: {
  readonly place: CalendarPlace;
  readonly now: number;
  readonly ask: (range: { start: string; end: string }) => Promise<TradingDay[]>;
}): Promise<KnownCalendar> {
  const { place, now, ask } = options;
  const kept = await place.get();
  const today = newYorkDate(now);
  const reaches = kept !== undefined && kept.start <= today && today <= kept.end;
  const age = kept === undefined ? Number.POSITIVE_INFINITY : now - kept.fetched_at;
  // Younger than nothing: the clock was wrong then, or is now.
  if (reaches && age >= -DAY_MS && age < FRESH_MS) return kept;
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

const fileOf = (folder: string, profile: string) => join(folder, `calendar-${profile}.json`);
