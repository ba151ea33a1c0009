import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ApprovalMode } from '../../agent/agent.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { createCalendarFileStore, loadCurrentCalendar, readCachedCalendar } from '../../schedule/calendar-cache.ts';
import { createCommandRunner } from '../../schedule/machine-command.ts';
import { createScheduler, type SchedulerHost } from '../../schedule/open-scheduler.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import type { RunTimes } from '../../schedule/run-times.ts';
import { type Schedule, scheduleNamePattern, type Timing } from '../../schedule/schedule.ts';
import { openScheduleStore, type ScheduleStore } from '../../schedule/schedule-store.ts';
import type { SchedulerEntryState } from '../../schedule/scheduler.ts';
import type { SchedulerName } from '../../schedule/scheduler-names.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { TradingDay } from '../../trading/activity.ts';
import type { App } from '../app.ts';
import { exitCodeMeanings, exitCodes } from '../exit-codes.ts';
import { buildChildEnvironment } from '../sandbox-connection.ts';

export async function openSchedules(app: Pick<App, 'home'>): Promise<ScheduleStore> {
  return openScheduleStore(join((await app.home()).data, 'schedules'));
}

/** Returns the gateway client that reads market hours: the selected account's, or the default account's for `all`. */
export async function openMarketHoursGateway(
  app: Pick<App, 'gateway' | 'isAllAccounts' | 'usersGateway'>,
): Promise<GatewayClient> {
  return await (app.isAllAccounts ? app.usersGateway() : app.gateway());
}

const resultExitCodes = [exitCodes.found, exitCodes.pending, exitCodes.denied, exitCodes.expired] as const;

/** Describes this machine for schedulers. The commands that configure a scheduler receive none of the user's tokens. */
export function describeThisMachine({ env }: Pick<App, 'env'>, folder: string): SchedulerHost {
  return {
    platform: process.platform,
    env,
    userHome: homedir(),
    uid: process.getuid?.() ?? 0,
    run: createCommandRunner(buildChildEnvironment(env)),
    folder: ensurePrivateFolder(folder),
    results: resultExitCodes.map((code) => ({ code, meaning: exitCodeMeanings[code] })),
  };
}

/**
 * Returns the times at which a schedule is due, using the broker's calendar if needed.
 * @throws {TradeAgentError} any error from reading the calendar, if no current calendar is cached
 */
export async function loadRunTimes(app: App, timing: Timing, profile: string, store: ScheduleStore): Promise<RunTimes> {
  if ('cron' in timing) return runTimesFromCalendar(timing, []);
  const { days } = await loadCurrentCalendar({
    store: createCalendarFileStore(store.folder, profile),
    now: app.clock.now(),
    ask: async (range) => (await openMarketHoursGateway(app)).calendar(range),
  });
  return runTimesFromCalendar(timing, days);
}

async function runTimesFromCalendar(timing: Timing, calendar: readonly TradingDay[]): Promise<RunTimes> {
  const { timingRunTimes } = await import('../../schedule/cron-expression.ts');
  return timingRunTimes(timing, calendar);
}

export interface AddScheduleOptions {
  readonly cron?: string;
  readonly at?: string;
  readonly name?: string;
  readonly whenOpen?: boolean;
  /** Whether the check also runs when a price crosses a limit in its rules. Only for schedules on a server. */
  readonly onPrice?: boolean;
  readonly rules?: string;
  readonly report?: string;
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  readonly with?: SchedulerName;
  readonly dryRun?: boolean;
  readonly timeout?: number | undefined;
}

/** Default time limit of a run, in milliseconds. Shorter than the interval between wake-ups. */
export const DEFAULT_RUN_TIMEOUT_MS = 10 * 60_000;

/** Checks a schedule's name. @throws {TradeAgentError} `usage` for an invalid name */
export function requireValidScheduleName(name: string | undefined): void {
  if (name !== undefined && !scheduleNamePattern.test(name)) {
    throw new TradeAgentError('usage', `"${name}" is not a valid schedule name`, {
      hint: 'Use up to 32 lowercase letters, digits, "-" and "_".',
    });
  }
}

const NEXT_RUNS = 3;
/** Milliseconds, about two wake-up intervals, after which a run counts as missed (the machine may have been off). */
const OVERDUE_MS = 31 * 60_000;

/** A schedule and its state. Times are milliseconds since the epoch. */
export interface ScheduleState {
  readonly schedule: Omit<Schedule, 'with'> & { readonly with: Schedule['with'] | 'server' };
  /** The entry in the system's scheduler. `kept` means that there is none, because a server runs the schedule. */
  readonly entry: SchedulerEntryState | 'unreadable' | 'dry_run' | 'kept';
  /** Times of the next runs. Empty if the broker's calendar has not been read yet. */
  readonly next: readonly number[];
  readonly overdue: number | undefined;
  readonly last: RunRecord | undefined;
}

/** Returns a schedule's state. Reads only this machine's files, so it works offline. */
export async function readScheduleState(
  app: App,
  store: ScheduleStore,
  schedule: Schedule,
  entry?: ScheduleState['entry'],
): Promise<ScheduleState> {
  const now = app.clock.now();
  const calendar = readCachedCalendar(store.folder, schedule.profile);
  const runTimes = await runTimesFromCalendar(schedule.timing, calendar?.days ?? []);
  const journal = store.journal(schedule);
  const [latest] = runTimes.upTo(now - OVERDUE_MS, 1);
  return {
    schedule,
    entry: entry ?? (await entryState(app, store, schedule)),
    next: runTimes.after(now, NEXT_RUNS),
    overdue: latest !== undefined && latest > journal.handled && journal.handled <= now ? latest : undefined,
    last: journal.runs.at(-1),
  };
}

async function entryState(app: App, store: ScheduleStore, schedule: Schedule): Promise<ScheduleState['entry']> {
  try {
    return await createScheduler(schedule.with, describeThisMachine(app, store.folder)).state(schedule);
  } catch {
    // An unreadable scheduler entry must not make the whole list fail.
    return 'unreadable';
  }
}
