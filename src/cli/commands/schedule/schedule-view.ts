import type { ScheduleState } from '../../../app/schedule/schedule-context.ts';
import type { RunRecord } from '../../../schedule/run-record.ts';
import { EXCHANGE_ZONE } from '../../../schedule/schedule.ts';
import { safeLine } from '../../../text/sanitize.ts';
import { ALL_ACCOUNTS } from '../../../trading/account-entry.ts';
import { type OutputAudience, programAudience } from '../../text/audience.ts';
import { formatInBothZones, localTimeZone, zonedTimestamp } from './zoned-time.ts';

type ScheduleView = ReturnType<typeof toScheduleView>;

/** Converts a schedule to JSON output, with times in the exchange's and in this machine's time zone. */
export function toScheduleView({ schedule, entry, next, overdue, last }: ScheduleState) {
  const { timing, check } = schedule;
  const zone = localTimeZone();
  return {
    id: schedule.id,
    name: schedule.name,
    profile: schedule.profile,
    /** Account number, or `all`; null for the default account. */
    account: schedule.account ?? null,
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
    entry,
    zone: EXCHANGE_ZONE,
    local_zone: zone,
    next: next.map((at) => ({
      exchange: zonedTimestamp(at, EXCHANGE_ZONE),
      local: zonedTimestamp(at, zone),
    })),
    overdue: overdue === undefined ? null : zonedTimestamp(overdue, EXCHANGE_ZONE),
    last: last ?? null,
  };
}

const entryWords: Record<ScheduleView['entry'], string> = {
  installed: 'installed',
  missing: 'MISSING, so the schedule does not run; remove the schedule and add it again',
  changed: 'CHANGED since it was written; remove the schedule and add it again',
  unreadable: 'can’t be read',
  dry_run: 'not written',
  kept: 'runs on the server, even if this machine is off',
};

export function scheduleText(view: ScheduleView, audience: OutputAudience = programAudience): string {
  const { check } = view;
  const what = [
    ...(view.account === null ? [] : [view.account === ALL_ACCOUNTS ? 'all accounts' : `account ${view.account}`]),
    check.rules === null ? 'the default rules' : check.rules,
    ...(check.report === null ? [] : [`report ${check.report}`]),
    ...(check.suggest ? [`suggests${check.buy_only ? ' buys' : ''} (${check.approval})`] : []),
  ].join(', ');
  const when = view.cron ?? view.at ?? '';
  const next = view.next.map(({ exchange }) => formatInBothZones(Date.parse(exchange), view.local_zone));
  const lines = [
    `${view.id}${view.name === null ? '' : `  ${view.name}`}`,
    `  when   ${when}, New York time${view.when_open ? ', only while the market is open' : ''}`,
    `  check  ${safeLine(what)}`,
    `  entry  ${view.with}: ${entryWords[view.entry]}`,
    ...(next.length === 0 ? ['  next   unknown until the broker’s calendar is loaded'] : []),
    ...next.map((text, index) => `  ${index === 0 ? 'next' : '    '}   ${text}`),
    ...(view.last === null ? [] : [`  last   ${runRecordLine(view.last, audience)}`]),
    ...(view.overdue === null
      ? []
      : [`  OVERDUE since ${formatInBothZones(Date.parse(view.overdue), view.local_zone)}: is ${view.with} running?`]),
  ];
  return lines.join('\n');
}

/** Formats the record of a run: `2026-11-27T17:30:04Z found (2)`, and the reason if it failed. */
export function runRecordLine(record: RunRecord, audience: OutputAudience = programAudience): string {
  const count = record.found > 0 ? ` (${record.found})` : '';
  const missed =
    record.missed === 0 ? '' : `, makes up for ${record.missed} missed ${record.missed === 1 ? 'run' : 'runs'}`;
  const attempt = record.attempt === 1 ? '' : `, attempt ${record.attempt}`;
  const unsent = record.unsent === 0 ? '' : `, notices not sent: ${record.unsent}`;
  const why = record.error === undefined ? '' : `: ${safeLine(record.error.message)}`;
  return `${audience.time(`${record.started_at.slice(0, 19)}Z`)} ${record.status}${count}${attempt}${missed}${unsent}${why}`;
}
