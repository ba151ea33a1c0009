import { createRemoteSchedules, type RemoteSchedules } from '../../agent/remote/remote-schedules.ts';
import type { RemoteSchedule } from '../../agent/remote/wire-schemas.ts';
import { readRequiredFile } from '../../config/required-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import type { Timing } from '../../schedule/schedule.ts';
import { ALL_ACCOUNTS } from '../../trading/account-entry.ts';
import { defined } from '../../values/defined.ts';
import type { App } from '../app.ts';
import { resolveIdPrefix } from '../resolve-prefix.ts';
import type { ScheduleRun } from './run-schedule.ts';
import {
  type AddScheduleOptions,
  DEFAULT_RUN_TIMEOUT_MS,
  requireValidScheduleName,
  type ScheduleState,
} from './schedule-context.ts';

/* Use cases like those in `schedules.ts`, for schedules that the profile's server stores and runs. */

async function openRemoteSchedules(app: App): Promise<RemoteSchedules> {
  return createRemoteSchedules(await app.requireSession(), app);
}

/** Adds a schedule to the server. @throws {TradeAgentError} `usage` for options of local schedules; `invalid_config` */
export async function addServerSchedule(app: App, timing: Timing, options: AddScheduleOptions): Promise<ScheduleState> {
  const {
    name,
    whenOpen = false,
    onPrice = false,
    rules,
    suggest = false,
    buyOnly = false,
    approval,
    timeout,
  } = options;
  rejectLocalOptions(options);
  requireValidScheduleName(name);
  const text = rules === undefined ? undefined : await rulesText(rules);
  const account = app.isAllAccounts ? ALL_ACCOUNTS : await app.account();
  const added = await (await openRemoteSchedules(app)).add({
    name: name ?? null,
    ...defined({ account }),
    timing,
    when_open: whenOpen,
    ...(onPrice ? { on_price: true } : {}),
    check: { ...defined({ rules: text }), suggest, buy_only: buyOnly, approval },
    timeout_ms: timeout ?? DEFAULT_RUN_TIMEOUT_MS,
  });
  return toScheduleState(await profileName(app), added);
}

function rejectLocalOptions({ with: starter, report, dryRun }: AddScheduleOptions): void {
  const said = { '--with': starter, '--report': report, '--dry-run': dryRun === true ? true : undefined };
  const [option] = Object.entries(said).find(([, value]) => value !== undefined) ?? [];
  if (option === undefined) return;
  const message = `${option} works only for schedules on this machine, but this schedule runs on the server`;
  throw new TradeAgentError('usage', message, { hint: `Remove ${option}.` });
}

async function rulesText(file: string): Promise<string> {
  const hint = 'Pass another file with --rules, or omit --rules to use the standard rules.';
  const text = readRequiredFile(file, 'rules file', hint);
  const { parseRules } = await import('../../check/load-rules.ts');
  await parseRules(text, file);
  return text;
}

export async function listServerSchedules(app: App): Promise<ScheduleState[]> {
  const [profile, schedules] = await Promise.all([profileName(app), openRemoteSchedules(app)]);
  return (await schedules.list()).map((one) => toScheduleState(profile, one));
}

export async function findServerSchedule(app: App, idOrName: string): Promise<RemoteSchedule> {
  return findRemoteSchedule(await openRemoteSchedules(app), idOrName);
}

/** Finds a schedule by ID, name, or a prefix. @throws {TradeAgentError} `not_found`, `usage` if ambiguous */
async function findRemoteSchedule(schedules: RemoteSchedules, idOrName: string): Promise<RemoteSchedule> {
  const all = await schedules.list();
  const names = all.flatMap(({ id, name }) => (name === null ? [id] : [id, name]));
  const whole = await resolveIdPrefix(idOrName, { called: 'schedules', whole: /^$/, list: async () => names });
  const found = all.find(({ id, name }) => id === whole || name === whole);
  if (found !== undefined) return found;
  throw new TradeAgentError('not_found', `there is no schedule "${idOrName}" on the server`, {
    hint: 'List them with "trade-agent schedule list".',
  });
}

export async function removeServerSchedule(app: App, idOrName: string) {
  const schedules = await openRemoteSchedules(app);
  const { id } = await findRemoteSchedule(schedules, idOrName);
  await schedules.remove(id);
  return { id, entryRemoved: true };
}

export async function listServerScheduleRuns(
  app: App,
  idOrName: string | undefined,
  limit: number,
): Promise<RunRecord[]> {
  const schedules = await openRemoteSchedules(app);
  const meant = idOrName === undefined ? await schedules.list() : [await findRemoteSchedule(schedules, idOrName)];
  // The protocol allows at most 100 runs per request.
  const runs = await Promise.all(meant.map(({ id }) => schedules.runs(id, Math.min(limit, 100))));
  return runs
    .flat()
    .sort((a, b) => (a.started_at < b.started_at ? 1 : -1))
    .slice(0, limit);
}

/**
 * If `now` is set, has the server run a schedule and waits for the result. Otherwise, only reports the time of the next
 * run, because the server runs due schedules by itself.
 * @throws {TradeAgentError} `timeout` if the run does not end in time
 */
export async function runServerSchedule(
  app: App,
  idOrName: string,
  now: boolean,
): Promise<{ readonly schedule: Pick<RemoteSchedule, 'id' | 'account'>; readonly run: ScheduleRun }> {
  const schedules = await openRemoteSchedules(app);
  const schedule = await findRemoteSchedule(schedules, idOrName);
  if (!now) {
    const [next] = schedule.next;
    return { schedule, run: { status: 'not_due', next: next === undefined ? undefined : Date.parse(next) } };
  }
  const record = await schedules.run(schedule);
  if (record !== undefined) return { schedule, run: { status: 'ran', record, check: undefined } };
  throw new TradeAgentError('timeout', `the run of ${schedule.id} did not finish in time on the server`, {
    hint: `Check its outcome with "trade-agent schedule logs ${schedule.id}".`,
  });
}

async function profileName(app: App): Promise<string> {
  return (await app.profile()).name;
}

function toScheduleState(
  profile: string,
  { next, last, check, timeout_ms, ...schedule }: RemoteSchedule,
): ScheduleState {
  const { rules, suggest, buy_only: buyOnly, approval } = check;
  return {
    schedule: {
      ...schedule,
      profile,
      check: { ...(rules === undefined ? {} : { rules: 'custom rules' }), suggest, buyOnly, approval },
      timeout: timeout_ms,
      with: 'server',
      entry: [],
    },
    entry: 'kept',
    next: next.map((at) => Date.parse(at)),
    overdue: undefined,
    last: last ?? undefined,
  };
}
