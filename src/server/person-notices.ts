import type { NoticeChannel } from '../config/notice-channels.ts';
import type { ResolveHost } from '../net/resolve-host.ts';
import type { Notice } from '../notify/notice.ts';
import type { CredentialStore } from '../secrets/credential-store.ts';
import type { CheckStore } from '../store/check-store.ts';
import type { NoticeChannelRows } from '../store/notice-channel-rows.ts';
import { postgresCheckStore } from '../store/postgres/state/check-store.ts';
import { postgresNoticeChannels } from '../store/postgres/state/notice-channel-rows.ts';
import { personDatabase } from '../store/postgres/state/person-database.ts';
import { jobOf } from '../store/postgres/state/schedule-jobs.ts';
import type { ServerParts } from './server-parts.ts';

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
