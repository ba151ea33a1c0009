import type { AddSchedule } from '../agent/remote/protocol.ts';
import type { RunRecord } from '../schedule/run-record.ts';
import type { Timing } from '../schedule/schedule.ts';
import { postgresScheduleRows } from '../store/postgres/state/schedules.ts';
import { postgresTenantSchedules } from '../store/postgres/state/tenant-schedules.ts';
import type { ScheduleRows, TenantSchedules } from '../store/schedule-rows.ts';
import type { ServerParts } from './server-parts.ts';

/** Schedules of one person at most. */
export const MOST_SCHEDULES = 50;

/** A schedule as the server keeps it. */
export interface KeptSchedule extends AddSchedule {
  readonly id: string;
  readonly timing: Timing;
  /** What whoever added it was let do: its runs are let do no more. */
  readonly scopes: readonly string[];
  /** RFC 3339. Nothing before it was ever due. */
  readonly created_at: string;
}

/** A person's schedules. */
export function schedulesOf(
  { database, jobs }: Pick<ServerParts, 'database' | 'jobs'>,
  person: string,
): ScheduleRows<KeptSchedule, RunRecord> {
  return postgresScheduleRows(database, person, jobs);
}

/** When all of the tenant's wake. */
export function allSchedules({ database, jobs }: Pick<ServerParts, 'database' | 'jobs'>): TenantSchedules {
  return postgresTenantSchedules(database, jobs);
}

/** One that goes by the market's days is looked at this often, since these may change. */
const MARKET_LOOK_MS = 12 * 3_600_000;
/** And this often while nobody knows them. */
const NO_MARKET_LOOK_MS = 5 * 60_000;

/** When a schedule is looked at next: at its next moment, and in good time to hear of a change of the market's hours. */
export function wakeTime(timing: Timing, next: number | undefined, now: number): number | null {
  if ('cron' in timing) return next ?? null;
  return next === undefined ? now + NO_MARKET_LOOK_MS : Math.min(next, now + MARKET_LOOK_MS);
}
