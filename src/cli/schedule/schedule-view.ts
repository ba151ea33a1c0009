import { safeLine } from '../../net/shown-text.ts';
import { cachedCalendar } from '../../schedule/calendar-cache.ts';
import { openScheduler } from '../../schedule/open-scheduler.ts';
import type { RunRecord } from '../../schedule/run-record.ts';
import { EXCHANGE_ZONE, type Schedule } from '../../schedule/schedule.ts';
import type { ScheduleStore } from '../../schedule/schedule-store.ts';
import type { EntryState } from '../../schedule/scheduler.ts';
import type { Context } from '../context.ts';
import { momentsBy, thisMachine } from './schedule-context.ts';
import { bothTimes, localZone, zonedTimestamp } from './zoned-time.ts';

const NEXT_RUNS = 3;
/** A wake-up comes each quarter of an hour at most; after two of them the machine was not awake, or nothing wakes it. */
const OVERDUE_MS = 31 * 60_000;

/** A schedule as `schedule list` shows it. */
export interface ScheduleView {
  readonly id: string;
  readonly name: string | null;
  readonly profile: string;
  readonly cron: string | null;
  readonly at: string | null;
  readonly when_open: boolean;
  readonly check: {
    readonly rules: string | null;
    readonly report: string | null;
    readonly suggest: boolean;
    readonly buy_only: boolean;
    readonly approval: string;
  };
  /** Milliseconds. */
  readonly timeout_ms: number;
  readonly with: string;
  readonly entry: EntryState | 'unreadable' | 'dry_run';
  readonly zone: string;
  readonly local_zone: string;
  readonly next: readonly { readonly exchange: string; readonly local: string }[];
  /** A moment went by and nothing ran: since when. */
  readonly overdue: string | null;
  readonly last: RunRecord | null;
}

/** By what is on this machine alone: asks no server, so that it works offline. */
export async function viewOf(
  context: Context,
  store: ScheduleStore,
  schedule: Schedule,
  entry?: ScheduleView['entry'],
): Promise<ScheduleView> {
  const { timing, check } = schedule;
  const now = context.clock.now();
  const calendar = cachedCalendar(store.folder, schedule.profile);
  const moments = await momentsBy(timing, calendar?.days ?? []);
  const journal = store.journal(schedule);
  const zone = localZone();
  const [latest] = moments.upTo(now - OVERDUE_MS, 1);
  return {
    id: schedule.id,
    name: schedule.name,
    profile: schedule.profile,
    cron: 'cron' in timing ? timing.cron : null,
    at: 'at' in timing ? timing.at : null,
    when_open: schedule.when_open,
    check: {
      rules: check.rules ?? null,
      report: check.report ?? null,
      suggest: check.suggest === true,
      buy_only: check.buyOnly === true,
      approval: check.approval,
    },
    timeout_ms: schedule.timeout,
    with: schedule.with,
    entry: entry ?? (await entryState(context, store, schedule)),
    zone: EXCHANGE_ZONE,
    local_zone: zone,
    next: moments
      .after(now, NEXT_RUNS)
      .map((at) => ({ exchange: zonedTimestamp(at, EXCHANGE_ZONE), local: zonedTimestamp(at, zone) })),
    overdue:
      latest !== undefined && latest > journal.handled && journal.handled <= now
        ? zonedTimestamp(latest, EXCHANGE_ZONE)
        : null,
    last: journal.runs.at(-1) ?? null,
  };
}

async function entryState(
  context: Context,
  store: ScheduleStore,
  schedule: Schedule,
): Promise<ScheduleView['entry']> {
  try {
    return await openScheduler(schedule.with, thisMachine(context, store.folder)).state(schedule);
  } catch {
    // A list must not fail for one entry that can't be looked at; it says so.
    return 'unreadable';
  }
}

const entryWords: Record<ScheduleView['entry'], string> = {
  installed: 'installed',
  missing: 'MISSING: nothing starts it; remove it and add it again',
  changed: 'CHANGED since it was written; remove it and add it again',
  unreadable: 'can’t be read',
  dry_run: 'not written',
};

/** A schedule for people, in a few lines. */
export function viewText(view: ScheduleView): string {
  const { check } = view;
  const what = [
    check.rules === null ? 'the usual rules' : check.rules,
    ...(check.report === null ? [] : [`report ${check.report}`]),
    ...(check.suggest ? [`suggests${check.buy_only ? ' buys' : ''} (${check.approval})`] : []),
  ].join(', ');
  const when = view.cron ?? view.at ?? '';
  const next = view.next.map(({ exchange }) => bothTimes(Date.parse(exchange), view.local_zone));
  const lines = [
    `${view.id}${view.name === null ? '' : `  ${view.name}`}`,
    `  when   ${when}, New York time${view.when_open ? ', only while the market is open' : ''}`,
    `  check  ${safeLine(what)}`,
    `  entry  ${view.with}: ${entryWords[view.entry]}`,
    ...(next.length === 0 ? ['  next   not known: the broker’s calendar was not read yet'] : []),
    ...next.map((text, index) => `  ${index === 0 ? 'next' : '    '}   ${text}`),
    ...(view.last === null ? [] : [`  last   ${recordLine(view.last)}`]),
    ...(view.overdue === null
      ? []
      : [
          `  OVERDUE since ${bothTimes(Date.parse(view.overdue), view.local_zone)}: is ${view.with} running?`,
        ]),
  ];
  return lines.join('\n');
}

/** `2026-11-27T17:30:04Z found (2)`, and why it failed where it did. */
export function recordLine(record: RunRecord): string {
  const count = record.found > 0 ? ` (${record.found})` : '';
  const missed = record.missed === 0 ? '' : `, stands for ${record.missed} missed before`;
  const attempt = record.attempt === 1 ? '' : `, attempt ${record.attempt}`;
  const unsent = record.unsent === 0 ? '' : `, notices not sent: ${record.unsent}`;
  const why = record.error === undefined ? '' : `: ${safeLine(record.error.message)}`;
  return `${record.started_at.slice(0, 19)}Z ${record.status}${count}${attempt}${missed}${unsent}${why}`;
}
