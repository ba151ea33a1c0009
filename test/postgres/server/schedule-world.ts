import { createApp } from '../../../src/app/create-app.ts';
import type { CheckJobDeps } from '../../../src/app/server/check-job.ts';
import type { NoticeChannel } from '../../../src/config/notice-channels.ts';
import { loginRequiredError } from '../../../src/errors/login-required.ts';
import type { Job, JobQueue } from '../../../src/jobs/job-queue.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { SESSION_SCOPES } from '../../../src/oauth/scopes.ts';
import { storeNoticeSecret } from '../../../src/secrets/notice-secrets.ts';
import { createTradingDayReader } from '../../../src/server/jobs/market-days.ts';
import {
  personNoticeChannels,
  personSchedules,
  type ServerSchedule,
  tenantSchedules,
} from '../../../src/server/server-deps.ts';
import { postgresCalendarRows } from '../../../src/store/postgres/state/calendar-rows.ts';
import type { PriceCondition } from '../../../src/store/schedule-rows.ts';
import { openCliWorld } from '../../integration/cli/cli-world.ts';
import type { TestDatabase } from '../support/database.ts';
import { sealedCredentials } from './sealed-credentials.ts';

/** A job as it was enqueued, and when it is to be done. */
export interface Enqueued extends Job {
  readonly at: number | undefined;
}

/** Schedules at a server whose gateway is a real one: alice is signed in, and nobody else. */
export async function openScheduleWorld(server: TestDatabase) {
  const [cli, sealed] = await Promise.all([openCliWorld(), sealedCredentials()]);
  await cli.login();
  const laptop = createApp({
    ...{
      env: cli.env,
      clock: systemClock,
      fetch,
      signal: new AbortController().signal,
      tell: () => undefined,
    },
  });
  const session = await laptop.requireSession();

  /** One tenant's part, new for each test. */
  const tenant = async () => {
    const database = await server.open();
    const enqueued: Enqueued[] = [];
    const posted: { readonly url: string; readonly body: string }[] = [];
    const state = { signedIn: true, answer: 200, now: undefined as number | undefined, sessions: 0 };
    const clock = { ...systemClock, now: () => state.now ?? Date.now() };
    const of = async (person: string) => {
      state.sessions += 1;
      if (!state.signedIn || person !== 'alice') throw loginRequiredError('the sign-in has ended');
      return session;
    };
    const sessions = {
      ...{ forPerson: of, forCaller: ({ sub }: { sub: string }) => of(sub) },
      ...{ grantOffline: async () => undefined, grantOfflineTo: async () => undefined },
      revokeOffline: async () => undefined,
    };
    const jobs: Pick<JobQueue, 'enqueue' | 'enqueueAll'> = {
      enqueue: async (_, job, { at } = {}) => void enqueued.push({ ...job, at }),
      enqueueAll: async (_, all) => void enqueued.push(...all.map((job) => ({ ...job, at: undefined }))),
    };
    const shared = { database, jobs: jobs as JobQueue, sessions, clock };
    const schedules = tenantSchedules(shared);
    const days = createTradingDayReader({ rows: postgresCalendarRows(database), schedules, sessions, clock });
    const parts: CheckJobDeps = {
      ...shared,
      ...{ fetch, env: {}, model: { provider: 'builtin' }, onError: () => undefined },
      news: { tell: () => undefined, hear: () => () => undefined, close: async () => undefined } as never,
      credentials: sealed.of(database),
      noticeResolve: async () => ['8.8.8.8'],
      noticeFetch: async (input, init) => {
        posted.push({ url: String(input), body: String(init?.body) });
        return new Response(null, { status: state.answer });
      },
      days,
    };
    return {
      ...{ parts, days, enqueued, posted, state, schedules, rows: personSchedules(parts, 'alice') },
      /** Takes what was enqueued of a kind, as a worker would. */
      take: (kind: Job['kind']): Enqueued[] => {
        const taken = enqueued.filter((job) => job.kind === kind);
        for (const job of taken) enqueued.splice(enqueued.indexOf(job), 1);
        return taken;
      },
      async addChannel(name: string) {
        const channel = { kind: 'slack', enabled: true, min_severity: 'info', approvals: true, timeout: 5 };
        await personNoticeChannels(parts, 'alice').put(name, channel as NoticeChannel, 9);
        await storeNoticeSecret(
          parts.credentials('alice'),
          name,
          channel as NoticeChannel,
          'https://slack.example/planted-secret-77',
        );
      },
      async add(
        rules: string,
        {
          conditions = [],
          ...change
        }: Partial<ServerSchedule> & { readonly conditions?: readonly PriceCondition[] } = {},
        handled = Date.now(),
      ) {
        const schedule: ServerSchedule = {
          ...{
            id: 's1',
            name: 'evening',
            timing: { cron: '0 3 * * *' },
            when_open: false,
            timeout_ms: 60_000,
          },
          ...{ scopes: [...SESSION_SCOPES], created_at: new Date(handled).toISOString() },
          check: { rules, suggest: false, buy_only: false, approval: 'detach' },
          ...change,
        };
        const given = { schedule, key: schedule.id, request: '', now: handled, wakeAt: handled, conditions };
        await personSchedules(parts, 'alice').add(given, 9);
        return schedule;
      },
    };
  };
  return {
    ...{ cli, tenant },
    async close() {
      await cli.close();
      sealed.close();
    },
  };
}
export type ScheduleWorld = Awaited<ReturnType<typeof openScheduleWorld>>;
export type ScheduleTenant = Awaited<ReturnType<ScheduleWorld['tenant']>>;
