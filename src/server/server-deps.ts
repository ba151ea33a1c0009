import type { AddScheduleRequest } from '../agent/remote/protocol.ts';
import type { NoticeChannel } from '../config/notice-channels.ts';
import type { ResolvedProfile } from '../config/profile.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Clock } from '../machine/clock.ts';
import type { ResolveHost } from '../net/outbound-client.ts';
import type { Notice } from '../notify/notice.ts';
import type { RunRecord } from '../schedule/run-record.ts';
import type { Timing } from '../schedule/schedule.ts';
import type { CredentialStore } from '../secrets/credential-store.ts';
import type { CheckStore } from '../store/check-store.ts';
import type { NoticeChannelRows } from '../store/notice-channel-rows.ts';
import { postgresCheckStore } from '../store/postgres/state/check-store.ts';
import { postgresNoticeChannelRows } from '../store/postgres/state/notice-channel-rows.ts';
import { limitToPerson } from '../store/postgres/state/person-database.ts';
import { postgresRunStore } from '../store/postgres/state/run-store.ts';
import { createScheduleJob } from '../store/postgres/state/schedule-jobs.ts';
import { postgresScheduleRows } from '../store/postgres/state/schedules.ts';
import { postgresTenantSchedules } from '../store/postgres/state/tenant-schedules.ts';
import type { TenantDatabase } from '../store/postgres/tenant-database.ts';
import type { RunAnnouncements, RunStore } from '../store/run-store.ts';
import type { ScheduleRows, TenantSchedules } from '../store/schedule-rows.ts';
import type { PersonSessions } from './sessions/person-sessions.ts';

/** Dependencies that a server and its workers share: a database that is limited to one tenant, and one gateway. */
export interface ServerDeps {
  readonly database: TenantDatabase;
  readonly jobs: JobQueue;
  readonly news: RunAnnouncements;
  readonly sessions: PersonSessions;
  /** The default model. */
  readonly model: ResolvedProfile['model'];
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Environment variables, including the model server's API key. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives internal errors, which never contain a token. */
  readonly onError: (message: string) => void;
}

/** Returns the store of a person's runs. Runs of the same thread are executed one after the other. */
export function personRuns(
  { database, jobs, news, clock }: Pick<ServerDeps, 'database' | 'jobs' | 'news' | 'clock'>,
  person: string,
): RunStore {
  const { tenant } = database;
  return postgresRunStore({
    database,
    person,
    now: () => clock.now(),
    changed: (run) => news.announce(run),
    enqueue: (unit, { id: run, thread }) =>
      jobs.enqueue(unit, { kind: 'run', key: `${person}|${thread}`, ids: { tenant, person, thread, run } }),
  });
}

export const MAX_SCHEDULES = 50;

export interface ServerSchedule extends AddScheduleRequest {
  readonly id: string;
  readonly timing: Timing;
  /** Scopes of the client that added the schedule, which limit its runs. */
  readonly scopes: readonly string[];
  /** Creation time, RFC 3339. Earlier times are never due. */
  readonly created_at: string;
}

export function personSchedules(
  { database, jobs }: Pick<ServerDeps, 'database' | 'jobs'>,
  person: string,
): ScheduleRows<ServerSchedule, RunRecord> {
  return postgresScheduleRows(database, person, jobs);
}

export function tenantSchedules({ database, jobs }: Pick<ServerDeps, 'database' | 'jobs'>): TenantSchedules {
  return postgresTenantSchedules(database, jobs);
}

/** Review interval of schedules whose timing depends on market days, because the market's calendar may change. */
const MARKET_REVIEW_INTERVAL_MS = 12 * 3_600_000;
const UNKNOWN_MARKET_REVIEW_INTERVAL_MS = 5 * 60_000;

/** Returns when to review a schedule next: when it is due next, or earlier to notice changed market hours. */
export function nextReviewTime(timing: Timing, next: number | undefined, now: number): number | null {
  if ('cron' in timing) return next ?? null;
  return next === undefined ? now + UNKNOWN_MARKET_REVIEW_INTERVAL_MS : Math.min(next, now + MARKET_REVIEW_INTERVAL_MS);
}

export interface NoticeDeps extends Pick<ServerDeps, 'database' | 'jobs' | 'clock'> {
  credentials(person: string): CredentialStore;
  /** A `fetch` for addresses that people configure. It connects only to public addresses. */
  readonly noticeFetch: typeof fetch;
  /** Resolves the host names of mail servers, whose connections don't use `fetch`. */
  readonly noticeResolve: ResolveHost;
}

export function personNoticeChannels(
  { database }: Pick<ServerDeps, 'database'>,
  person: string,
): NoticeChannelRows<NoticeChannel> {
  return postgresNoticeChannelRows(limitToPerson(database, person));
}

/** Returns the store of a person's checks. A notice is sent by a job, which is enqueued when the notice is stored. */
export function personChecks(
  { database, jobs }: Pick<ServerDeps, 'database' | 'jobs'>,
  person: string,
): CheckStore<Notice> {
  return postgresCheckStore(limitToPerson(database, person), (unit, notice) =>
    jobs.enqueue(unit, createScheduleJob('notice', database.tenant, person, { notice })),
  );
}
