import { cachedCalendar } from '../../schedule/calendar-cache.ts';
import { openScheduler } from '../../schedule/open-scheduler.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import type { Schedule } from '../../schedule/schedule.ts';
import type { ScheduleStore } from '../../schedule/schedule-store.ts';
import type { EntryState } from '../../schedule/scheduler.ts';
import type { App } from '../app.ts';
import { momentsBy, thisMachine } from './schedule-context.ts';

const NEXT_RUNS = 3;
/** A wake-up comes each quarter of an hour at most; after two of them the machine was not awake, or nothing wakes it. */
const OVERDUE_MS = 31 * 60_000;

/** A schedule, and how it stands. Moments are milliseconds since the epoch. */
export interface ScheduleState {
  readonly schedule: Omit<Schedule, 'with'> & { readonly with: Schedule['with'] | 'server' };
  /** `kept`: by the server, which needs none. */
  readonly entry: EntryState | 'unreadable' | 'dry_run' | 'kept';
  /** When it runs next; none where the broker's calendar was not read yet. */
  readonly next: readonly number[];
  /** A moment that went by while nothing ran. */
  readonly overdue: number | undefined;
  readonly last: RunRecord | undefined;
}

/** By what is on this machine alone: asks no server, so that it works offline. */
export async function stateOf(
  app: App,
  store: ScheduleStore,
  schedule: Schedule,
  entry?: ScheduleState['entry'],
): Promise<ScheduleState> {
  const now = app.clock.now();
  const calendar = cachedCalendar(store.folder, schedule.profile);
  const moments = await momentsBy(schedule.timing, calendar?.days ?? []);
  const journal = store.journal(schedule);
  const [latest] = moments.upTo(now - OVERDUE_MS, 1);
  return {
    schedule,
    entry: entry ?? (await entryState(app, store, schedule)),
    next: moments.after(now, NEXT_RUNS),
    overdue: latest !== undefined && latest > journal.handled && journal.handled <= now ? latest : undefined,
    last: journal.runs.at(-1),
  };
}

async function entryState(
  app: App,
  store: ScheduleStore,
  schedule: Schedule,
): Promise<ScheduleState['entry']> {
  try {
    return await openScheduler(schedule.with, thisMachine(app, store.folder)).state(schedule);
  } catch {
    // A list must not fail for one entry that can't be looked at; it says so.
    return 'unreadable';
  }
}
