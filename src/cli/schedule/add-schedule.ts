import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { ApprovalMode } from '../../agent/agent.ts';
import { shortId } from '../../agent/short-id.ts';
import { launcher } from '../../app/launcher.ts';
import { findProfile } from '../../config/resolve-profile.ts';
import { requireEdge } from '../../schedule/market-edge.ts';
import { openScheduler, usualScheduler } from '../../schedule/open-scheduler.ts';
import { type Schedule, schedulePattern, type Timing } from '../../schedule/schedule.ts';
import type { ScheduleStore } from '../../schedule/schedule-store.ts';
import type { EntryPart } from '../../schedule/scheduler.ts';
import type { SchedulerName } from '../../schedule/scheduler-names.ts';
import { startCommand } from '../../schedule/start-command.ts';
import { wakeMinutes } from '../../schedule/wake-minutes.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import type { Context } from '../context.ts';
import { momentsOf, scheduleStore, thisMachine } from './schedule-context.ts';
import { viewOf, viewText } from './schedule-view.ts';

export interface AddOptions {
  readonly cron?: string;
  readonly at?: string;
  readonly name?: string;
  readonly whenOpen?: boolean;
  readonly rules?: string;
  readonly report?: string;
  readonly suggest?: boolean;
  readonly buyOnly?: boolean;
  readonly approval: ApprovalMode;
  readonly with?: SchedulerName;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** How long a run may take unless --timeout says otherwise: less than what lies between two wake-ups. */
const USUAL_TIMEOUT_MS = 10 * 60_000;

/** Writes an entry, after it was shown; everything that can be wrong with it is found before. */
export async function addSchedule(
  context: Context,
  options: AddOptions,
  timeout: number | undefined,
): Promise<void> {
  const store = await scheduleStore(context);
  // The calendar is all that it asks for.
  context.limitToReading();
  const timing = timingOf(options);
  const profile = findProfile(await context.config(), context.profileName);
  checkName(options.name, store);
  const check = await checkOf(options);
  const moments = await momentsOf(context, timing, profile.name, store);
  const now = context.clock.now();
  const machine = thisMachine(context, store.folder);
  const scheduler = openScheduler(options.with ?? usualScheduler(machine), machine);
  const id = shortId('s', 6);
  const timeoutMs = timeout ?? USUAL_TIMEOUT_MS;
  const command = startCommand({
    node: process.execPath,
    script: launcher(),
    id,
    env: context.env,
    keychain: !profile.sandbox && profile.credential_store !== 'file',
  });
  const schedule: Schedule = {
    id,
    name: options.name ?? null,
    profile: profile.name,
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
    if (options.yes !== true) await confirm(context, schedule);
    // The definition first: an entry without one would fail at each wake-up.
    store.put(schedule);
    try {
      await scheduler.install(id, schedule.entry);
    } catch (error) {
      store.remove(id);
      throw error;
    }
    if (scheduler.note !== undefined) context.io.talk(scheduler.note);
  }
  const view = await viewOf(context, store, schedule, dryRun ? 'dry_run' : undefined);
  await context.output.result('schedule', { schedule: view, written: schedule.entry, dry_run: dryRun }, () =>
    [...(dryRun ? ['Would write:', entryText(schedule.entry), ''] : []), viewText(view)].join('\n'),
  );
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

function checkName(name: string | undefined, store: ScheduleStore): void {
  if (name === undefined) return;
  if (!schedulePattern.test(name)) {
    throw new TradeAgentError('usage', `"${name}" can't be a schedule's name`, {
      hint: 'Use small letters, digits, "-" and "_", 32 at most.',
    });
  }
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
    ...(rules === undefined ? {} : { rules }),
    ...(report === undefined ? {} : { report }),
    ...(options.suggest === true ? { suggest: true } : {}),
    ...(options.buyOnly === true ? { buyOnly: true } : {}),
    approval: options.approval,
  };
}

async function confirm({ io, signal }: Context, { entry }: Schedule): Promise<void> {
  if (!io.interactive) {
    throw new TradeAgentError('usage', 'a schedule writes an entry that starts this program', {
      hint: 'Look at it with --dry-run; say --yes to write it without being asked.',
    });
  }
  io.talk(entryText(entry));
  const answer = await io.prompt('Write this? [y/N] ', signal);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new TradeAgentError('interrupted', 'nothing was written');
}

function entryText(entry: readonly EntryPart[]): string {
  return entry
    .map(
      ({ file, text }) => `${file === null ? 'At the end of your crontab:' : `${file}:`}\n${text.trimEnd()}`,
    )
    .join('\n\n');
}
