import type { AddSchedule } from '../agent/remote/protocol.ts';
import type { NoticeChannel } from '../config/notice-channels.ts';
import type { ResolvedProfile } from '../config/profile.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Clock } from '../machine/clock.ts';
import type { ResolveHost } from '../net/resolve-host.ts';
import type { Notice } from '../notify/notice.ts';
import type { RunRecord } from '../schedule/run-record.ts';
import type { Timing } from '../schedule/schedule.ts';
import type { CredentialStore } from '../secrets/credential-store.ts';
import type { CheckStore } from '../store/check-store.ts';
import type { NoticeChannelRows } from '../store/notice-channel-rows.ts';
import { postgresCheckStore } from '../store/postgres/state/check-store.ts';
import { postgresNoticeChannels } from '../store/postgres/state/notice-channel-rows.ts';
import { personDatabase } from '../store/postgres/state/person-database.ts';
import { postgresRunStore } from '../store/postgres/state/run-store.ts';
import { jobOf } from '../store/postgres/state/schedule-jobs.ts';
import { postgresScheduleRows } from '../store/postgres/state/schedules.ts';
import { postgresTenantSchedules } from '../store/postgres/state/tenant-schedules.ts';
import type { TenantDatabase } from '../store/postgres/tenant-database.ts';
import type { RunNews, RunStore } from '../store/run-store.ts';
import type { ScheduleRows, TenantSchedules } from '../store/schedule-rows.ts';
import type { PersonSessions } from './sessions/person-sessions.ts';

/** The common parts of a server and its workers: one tenant's part of one database, and one gateway. */
export interface ServerParts {
  readonly database: TenantDatabase;
  readonly jobs: JobQueue;
  readonly news: RunNews;
  readonly sessions: PersonSessions;
  /** The default model. */
  readonly model: ResolvedProfile['model'];
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Contains the model server's key. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets internal errors; never a token. */
  readonly onError: (message: string) => void;
}

/** A person's runs; those of one thread are done one after the other. */
export function runsOf(
  { database, jobs, news, clock }: Pick<ServerParts, 'database' | 'jobs' | 'news' | 'clock'>,
  person: string,
): RunStore {
  const { tenant } = database;
  return postgresRunStore({
    database,
    person,
    now: () => clock.now(),
    changed: (run) => news.tell(run),
    enqueue: (unit, { id: run, thread }) =>
      jobs.enqueue(unit, { kind: 'run', key: `${person}|${thread}`, ids: { tenant, person, thread, run } }),
  });
}

export const MOST_SCHEDULES = 50;

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

/** What the server needs to send people notices. */
export interface NoticeParts extends Pick<ServerParts, 'database' | 'jobs' | 'clock'> {
  /** A person's sealed secrets. */
  credentials(person: string): CredentialStore;
  /** For addresses that people name: only to the public internet. */
  readonly noticeFetch: typeof fetch;
  /** For host names that are no URLs: mail servers. */
  readonly noticeResolve: ResolveHost;
}

export function channelsOf(
  { database }: Pick<ServerParts, 'database'>,
  person: string,
): NoticeChannelRows<NoticeChannel> {
  return postgresNoticeChannels(personDatabase(database, person));
}

/** A person's memory of checks; each stored notice is sent by a job of the same commit. */
export function checksOf(
  { database, jobs }: Pick<ServerParts, 'database' | 'jobs'>,
  person: string,
): CheckStore<Notice> {
  return postgresCheckStore(personDatabase(database, person), (unit, notice) =>
    jobs.enqueue(unit, jobOf('notice', database.tenant, person, { notice })),
  );
}
