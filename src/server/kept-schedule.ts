import type { AddSchedule } from '../agent/remote/protocol.ts';
import type { RunRecord } from '../schedule/run-record.ts';
import type { Timing } from '../schedule/schedule.ts';
import { postgresScheduleRows } from '../store/postgres/state/schedules.ts';
import { postgresTenantSchedules } from '../store/postgres/state/tenant-schedules.ts';
import type { ScheduleRows, TenantSchedules } from '../store/schedule-rows.ts';
import type { ServerParts } from './server-parts.ts';

/** The most schedules of a person. */
export const MOST_SCHEDULES = 50;

/** A schedule stored at the server. */
export interface KeptSchedule extends AddSchedule {
  readonly id: string;
  readonly timing: Timing;
  /** The scopes of whoever added it, which limit its runs. */
  readonly scopes: readonly string[];
  /** RFC 3339. Nothing before it was ever due. */
  readonly created_at: string;
}

export function schedulesOf(
  { database, jobs }: Pick<ServerParts, 'database' | 'jobs'>,
  person: string,
): ScheduleRows<KeptSchedule, RunRecord> {
  return postgresScheduleRows(database, person, jobs);
}

export function allSchedules({ database, jobs }: Pick<ServerParts, 'database' | 'jobs'>): TenantSchedules {
  return postgresTenantSchedules(database, jobs);
}

/** Schedules by market days are reviewed this often, since the days may change. */
const MARKET_LOOK_MS = 12 * 3_600_000;
/** While the market's days are unknown. */
const NO_MARKET_LOOK_MS = 5 * 60_000;

/** When a schedule is reviewed next: at its next moment, or early enough to notice changed market hours. */
export function wakeTime(timing: Timing, next: number | undefined, now: number): number | null {
  if ('cron' in timing) return next ?? null;
  return next === undefined ? now + NO_MARKET_LOOK_MS : Math.min(next, now + MARKET_LOOK_MS);
}
