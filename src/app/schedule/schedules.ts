import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { createShortId } from '../../agent/short-id.ts';
import { findProfile } from '../../config/resolve-profile.ts';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { createScheduler, detectSchedulerName } from '../../schedule/open-scheduler.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import { requireMarketTime, wakeMinutes } from '../../schedule/run-times.ts';
import { type Schedule, scheduleNamePattern, type Timing } from '../../schedule/schedule.ts';
import type { ScheduleStore } from '../../schedule/schedule-store.ts';
import { createScheduledCommand } from '../../schedule/scheduler.ts';
import { ALL_ACCOUNTS } from '../../trading/account-entry.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { launcherPath } from '../launcher.ts';
import { profileServerUrl } from '../profile-server.ts';
import { resolveIdPrefix } from '../resolve-prefix.ts';
import {
  type AddScheduleOptions,
  DEFAULT_RUN_TIMEOUT_MS,
  describeThisMachine,
  loadRunTimes,
  openSchedules,
  readScheduleState,
  requireValidScheduleName,
  type ScheduleState,
} from './schedule-context.ts';

/** Finds a schedule by ID, name, or a prefix. @throws {TradeAgentError} `not_found`, `usage` if ambiguous */
export async function findSchedule(app: Pick<App, 'home'>, idOrName: string): Promise<Schedule> {
  const store = await openSchedules(app);
  const names = () => store.list().flatMap(({ id, name }) => (name === null ? [id] : [id, name]));
  const whole = await resolveIdPrefix(idOrName, {
    called: 'schedules',
    whole: /^$/,
    list: async () => names(),
  });
  return store.find(whole);
}

/** Like {@link findSchedule}, but also finds schedules on the profile's server. */
export async function resolveSchedule(app: App, idOrName: string): Promise<Pick<Schedule, 'id' | 'name'>> {
  if ((await profileServerUrl(app)) === undefined) return findSchedule(app, idOrName);
  return (await import('./server-schedules.ts')).findServerSchedule(app, idOrName);
}

export async function listSchedules(app: App): Promise<ScheduleState[]> {
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-schedules.ts')).listServerSchedules(app);
  const store = await openSchedules(app);
  const states: ScheduleState[] = [];
  for (const schedule of store.list()) states.push(await readScheduleState(app, store, schedule));
  return states;
}

/** Lists runs, newest first. @param idOrName undefined for all schedules @throws {TradeAgentError} `not_found` */
export async function listScheduleRuns(app: App, idOrName: string | undefined, limit: number): Promise<RunRecord[]> {
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-schedules.ts')).listServerScheduleRuns(app, idOrName, limit);
  const store = await openSchedules(app);
  return (idOrName === undefined ? store.list() : [await findSchedule(app, idOrName)])
    .flatMap((schedule) => store.journal(schedule).runs)
    .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
    .slice(0, limit);
}

/**
 * Adds a schedule and its scheduler entry, after validating both.
 * @param agree called before anything is written; if it returns false, nothing is written
 * @throws {TradeAgentError} `usage`, `not_found`, `invalid_config`; `interrupted` if the person does not agree
 */
export async function addSchedule(
  app: App,
  options: AddScheduleOptions,
  agree: (schedule: Schedule) => Promise<boolean>,
): Promise<ScheduleState> {
  const timing = parseTiming(options);
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-schedules.ts')).addServerSchedule(app, timing, options);
  if (options.onPrice === true) {
    throw new TradeAgentError(
      'usage',
      '--on-price works only for schedules on a server, because only a server watches prices',
      {
        hint: 'Remove --on-price, and use --cron "*/15 9-16 * * 1-5" to check every 15 minutes.',
      },
    );
  }
  const store = await openSchedules(app);
  // Read-only tokens are enough, because adding a schedule reads only the calendar and the accounts.
  app.limitToReading();
  const profile = findProfile(await app.config(), app.profileName);
  requireValidScheduleName(options.name);
  requireFreeName(options.name, store);
  const check = await validateCheck(options);
  const account = app.isAllAccounts ? ALL_ACCOUNTS : await app.account();
  const runTimes = await loadRunTimes(app, timing, profile.name, store);
  const now = app.clock.now();
  const machine = describeThisMachine(app, store.folder);
  const scheduler = createScheduler(options.with ?? detectSchedulerName(machine), machine);
  const id = createShortId('s', 6);
  const timeoutMs = options.timeout ?? DEFAULT_RUN_TIMEOUT_MS;
  const command = createScheduledCommand({
    node: process.execPath,
    script: launcherPath(),
    id,
    env: app.env,
    keychain: !profile.sandbox && profile.credential_store !== 'file',
  });
  const schedule: Schedule = {
    id,
    name: options.name ?? null,
    profile: profile.name,
    ...defined({ account }),
    timing,
    when_open: options.whenOpen === true,
    check,
    timeout: timeoutMs,
    with: scheduler.name,
    entry: scheduler.entry(id, command, wakeMinutes(runTimes, now), timeoutMs),
    created_at: new Date(now).toISOString(),
  };

  const dryRun = options.dryRun === true;
  if (!dryRun) {
    if (!(await agree(schedule))) throw new TradeAgentError('interrupted', 'nothing was written');
    // Writes the definition first, because a scheduler entry without a definition would fail at each wake-up.
    store.put(schedule);
    try {
      await scheduler.install(id, schedule.entry);
    } catch (error) {
      store.remove(id);
      throw error;
    }
    if (scheduler.note !== undefined) app.tell(scheduler.note);
  }
  return await readScheduleState(app, store, schedule, dryRun ? 'dry_run' : undefined);
}

function parseTiming({ cron, at }: AddScheduleOptions): Timing {
  if (cron !== undefined && at === undefined) return { cron: cron.trim() };
  if (at !== undefined && cron === undefined) {
    requireMarketTime(at);
    return { at };
  }
  throw new TradeAgentError('usage', 'a schedule needs either --cron or --at', {
    hint: 'For example --cron "30 9 * * 1-5" or --at close-30m, both in New York time.',
  });
}

function requireFreeName(name: string | undefined, store: ScheduleStore): void {
  if (name === undefined) return;
  if (!store.list().some((other) => other.name === name || other.id === name)) return;
  throw new TradeAgentError('usage', `a schedule "${name}" already exists`, {
    hint: `Choose another name, or remove that schedule with "trade-agent schedule remove ${name}".`,
  });
}

async function validateCheck(options: AddScheduleOptions): Promise<Schedule['check']> {
  const rules = options.rules === undefined ? undefined : resolve(options.rules);
  const report = options.report === undefined ? undefined : resolve(options.report);
  if (rules !== undefined) {
    const { loadRules } = await import('../../check/load-rules.ts');
    await loadRules(rules);
  }
  if (report !== undefined && !existsSync(dirname(report))) {
    throw new TradeAgentError('usage', `there is no folder ${dirname(report)} for the report`, {
      hint: 'Create it first, or choose another file.',
    });
  }
  const { suggest, buyOnly, approval } = options;
  return {
    ...defined({ rules, report, suggest: suggest || undefined, buyOnly: buyOnly || undefined }),
    approval,
  };
}

/** Removes a schedule and its entry in the system's scheduler. @throws {TradeAgentError} `not_found`, `busy` */
export async function removeSchedule(app: App, idOrName: string) {
  if ((await profileServerUrl(app)) !== undefined)
    return (await import('./server-schedules.ts')).removeServerSchedule(app, idOrName);
  const store = await openSchedules(app);
  const machine = describeThisMachine(app, store.folder);
  const found = await tryFindSchedule(app, idOrName);
  if (found.schedule === undefined) {
    // The scheduler entry may still exist after the schedule's file is gone, and would fail at each wake-up.
    const stray =
      scheduleNamePattern.test(idOrName) &&
      (await createScheduler(detectSchedulerName(machine), machine)
        .remove(idOrName)
        .catch(() => false));
    if (!stray) throw found.error;
    return { id: idOrName, entryRemoved: true };
  }
  const { schedule } = found;
  return await store.alone(schedule.id, app.signal, async () => {
    const entryRemoved = await createScheduler(schedule.with, machine).remove(schedule.id);
    store.remove(schedule.id);
    return { id: schedule.id, entryRemoved };
  });
}

async function tryFindSchedule(app: App, idOrName: string) {
  try {
    return { schedule: await findSchedule(app, idOrName) };
  } catch (error) {
    if (!isTradeAgentError(error) || error.code !== 'not_found') throw error;
    return { schedule: undefined, error };
  }
}
