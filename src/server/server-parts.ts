import type { ResolvedProfile } from '../config/profile.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { Clock } from '../machine/clock.ts';
import { postgresRunStore } from '../store/postgres/state/run-store.ts';
import type { TenantDatabase } from '../store/postgres/tenant-database.ts';
import type { RunNews, RunStore } from '../store/run-store.ts';
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
