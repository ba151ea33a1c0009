import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { shortId } from '../../agent/short-id.ts';
import { findProfile } from '../../config/resolve-profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { requireEdge } from '../../schedule/market-edge.ts';
import { openScheduler, usualScheduler } from '../../schedule/open-scheduler.ts';
import type { Schedule, Timing } from '../../schedule/schedule.ts';
import type { ScheduleStore } from '../../schedule/schedule-store.ts';
import { startCommand } from '../../schedule/start-command.ts';
import { wakeMinutes } from '../../schedule/wake-minutes.ts';
import { ALL_ACCOUNTS } from '../../trading/account-entry.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { launcher } from '../launcher.ts';
import { serverOf } from '../server/require-here.ts';
import { momentsOf, scheduleStore, thisMachine } from './schedule-context.ts';
import { type AddOptions, checkName, USUAL_TIMEOUT_MS } from './schedule-options.ts';
import { type ScheduleState, stateOf } from './schedule-state.ts';

/**
 * Writes an entry; everything that can be wrong with it is found before.
 * @param agree asked once all is known, unless nothing is to be written; false leaves everything as it is
 * @throws {TradeAgentError} `usage`, `not_found`, `invalid_config`; `interrupted` where the person does not agree
 */
export async function addSchedule(
  app: App,
  options: AddOptions,
  agree: (schedule: Schedule) => Promise<boolean>,
): Promise<ScheduleState> {
  const timing = timingOf(options);
  if ((await serverOf(app)) !== undefined)
    return (await import('./at-server.ts')).addAtServer(app, timing, options);
  if (options.onPrice === true) {
    throw new TradeAgentError('usage', '--on-price is for a schedule at a server, which watches prices', {
      hint: 'Leave it out; --cron "*/15 9-16 * * 1-5" looks every quarter of an hour.',
    });
  }
  const store = await scheduleStore(app);
  // The calendar, and whose account is meant, are all that it asks for.
  app.limitToReading();
  const profile = findProfile(await app.config(), app.profileName);
  checkName(options.name);
  checkFree(options.name, store);
  const check = await checkOf(options);
  const account = app.ofAll ? ALL_ACCOUNTS : await app.account();
  const moments = await momentsOf(app, timing, profile.name, store);
  const now = app.clock.now();
  const machine = thisMachine(app, store.folder);
  const scheduler = openScheduler(options.with ?? usualScheduler(machine), machine);
  const id = shortId('s', 6);
  const timeoutMs = options.timeout ?? USUAL_TIMEOUT_MS;
  const command = startCommand({
    node: process.execPath,
    script: launcher(),
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
    entry: scheduler.entry(id, command, wakeMinutes(moments, now), timeoutMs),
    created_at: new Date(now).toISOString(),
  };

  const dryRun = options.dryRun === true;
  if (!dryRun) {
    if (!(await agree(schedule))) throw new TradeAgentError('interrupted', 'nothing was written');
    // The definition first: an entry without one would fail at each wake-up.
    store.put(schedule);
    try {
      await scheduler.install(id, schedule.entry);
    } catch (error) {
      store.remove(id);
      throw error;
    }
    if (scheduler.note !== undefined) app.tell(scheduler.note);
  }
  return await stateOf(app, store, schedule, dryRun ? 'dry_run' : undefined);
}

function timingOf({ cron, at }: AddOptions): Timing {
  if (cron !== undefined && at === undefined) return { cron: cron.trim() };
  if (at !== undefined && cron === undefined) {
    requireEdge(at);
    return { at };
  }
  throw new TradeAgentError('usage', 'a schedule needs either --cron or --at', {
    hint: 'For example --cron "30 9 * * 1-5" or --at close-30m, both in New York time.',
  });
}

function checkFree(name: string | undefined, store: ScheduleStore): void {
  if (name === undefined) return;
  if (!store.list().some((other) => other.name === name || other.id === name)) return;
  throw new TradeAgentError('usage', `there is a schedule "${name}" already`, {
    hint: `Choose another name, or take that one out with "trade-agent schedule remove ${name}".`,
  });
}

async function checkOf(options: AddOptions): Promise<Schedule['check']> {
  const rules = options.rules === undefined ? undefined : resolve(options.rules);
  const report = options.report === undefined ? undefined : resolve(options.report);
  if (rules !== undefined) {
    const { loadRules } = await import('../../check/load-rules.ts');
    await loadRules(rules);
  }
  if (report !== undefined && !existsSync(dirname(report))) {
    throw new TradeAgentError('usage', `there is no folder ${dirname(report)} for the report`, {
      hint: 'Make it first, or name another file.',
    });
  }
  return {
    ...defined({ rules, report }),
    ...(options.suggest === true ? { suggest: true } : {}),
    ...(options.buyOnly === true ? { buyOnly: true } : {}),
    approval: options.approval,
  };
}
