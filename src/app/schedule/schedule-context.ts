import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ApprovalMode } from '../../agent/agent.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { ensurePrivateFolder } from '../../machine/directories.ts';
import { cachedCalendar, calendarFile, currentCalendar } from '../../schedule/calendar-cache.ts';
import { machineCommand } from '../../schedule/machine-command.ts';
import type { Moments } from '../../schedule/moments.ts';
import { type Machine, openScheduler } from '../../schedule/open-scheduler.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import { type Schedule, schedulePattern, type Timing } from '../../schedule/schedule.ts';
import { openScheduleStore, type ScheduleStore } from '../../schedule/schedule-store.ts';
import type { EntryState } from '../../schedule/scheduler.ts';
import type { SchedulerName } from '../../schedule/scheduler-names.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import type { TradingDay } from '../../trading/activity.ts';
import type { App } from '../app.ts';
import { exitCodeMeanings, exits } from '../exit-codes.ts';
import { childEnvironment } from '../sandbox-connection.ts';

/** Where schedules are kept. */
export async function scheduleStore(app: Pick<App, 'home'>): Promise<ScheduleStore> {
  return openScheduleStore(join((await app.home()).data, 'schedules'));
}

/** Who tells the market's hours: the broker of the account that is meant, of the default one where all are. */
export async function hoursFrom(
  app: Pick<App, 'gateway' | 'ofAll' | 'usersGateway'>,
): Promise<GatewayClient> {
  return await (app.ofAll ? app.usersGateway() : app.gateway());
}

/** How a run may end and yet be no failure: it found something, or the phone has yet to say yes, or did not. */
const results = [exits.found, exits.pending, exits.denied, exits.expired] as const;

/** This machine, for schedulers; its commands get no token of the user's. */
export function thisMachine({ env }: Pick<App, 'env'>, folder: string): Machine {
  return {
    platform: process.platform,
    env,
    userHome: homedir(),
    uid: process.getuid?.() ?? 0,
    run: machineCommand(childEnvironment(env)),
    folder: ensurePrivateFolder(folder),
    results: results.map((code) => ({ code, meaning: exitCodeMeanings[code] })),
  };
}

/**
 * The moments of a timing, by the broker's calendar where it needs one.
 * @throws {TradeAgentError} what reading the calendar throws, where none is kept that reaches to today
 */
export async function momentsOf(
  app: App,
  timing: Timing,
  profile: string,
  store: ScheduleStore,
): Promise<Moments> {
  if ('cron' in timing) return momentsBy(timing, []);
  const { days } = await currentCalendar({
    place: calendarFile(store.folder, profile),
    now: app.clock.now(),
    ask: async (range) => (await hoursFrom(app)).calendar(range),
  });
  return momentsBy(timing, days);
}

/** As {@link momentsOf}, by a calendar that is there. */
async function momentsBy(timing: Timing, calendar: readonly TradingDay[]): Promise<Moments> {
  const { timingMoments } = await import('../../schedule/cron-expression.ts');
  return timingMoments(timing, calendar);
}

/** What a schedule is to be, as a person says it. */
export interface AddOptions {
  readonly cron?: string;
  readonly at?: string;
  readonly name?: string;
  readonly whenOpen?: boolean;
  /** Also as soon as a price passes a limit of its rules: at a server, which watches prices. */
  readonly onPrice?: boolean;
  readonly rules?: string;
  readonly report?: string;
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  readonly with?: SchedulerName;
  /** Writes nothing, only says what would be. */
  readonly dryRun?: boolean;
  /** Milliseconds that a run may take. */
  readonly timeout?: number | undefined;
}

/** How long a run may take unless --timeout says otherwise: less than what lies between two wake-ups. */
export const USUAL_TIMEOUT_MS = 10 * 60_000;

/** @throws {TradeAgentError} `usage` */
export function checkName(name: string | undefined): void {
  if (name !== undefined && !schedulePattern.test(name)) {
    throw new TradeAgentError('usage', `"${name}" can't be a schedule's name`, {
      hint: 'Use small letters, digits, "-" and "_", 32 at most.',
    });
  }
}

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
