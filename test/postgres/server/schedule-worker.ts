import { startScheduleWork } from '../../../src/app/server/serve-worker.ts';
import { openPgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { profileAt, sessionOf } from '../../integration/agent/session.ts';

/** A worker process for schedules; its gateway is a stub, so that only the schedules' cost is measured. */

const [, , address = '', tenant = '', concurrency = '4'] = process.argv;

const closedMarket = JSON.stringify({
  ...{ timestamp: '2026-11-24T15:00:00Z', is_open: false },
  ...{ next_open: '2026-11-25T14:30:00Z', next_close: '2026-11-24T21:00:00Z' },
});
const of = async (person: string) => ({
  ...sessionOf(profileAt('http://localhost'), person),
  fetch: async () => new Response(closedMarket, { headers: { 'content-type': 'application/json' } }),
});

const database = await openDatabase({ address, schema: stateSchema, tenant, max: 6 });
const jobs = await openPgBossQueue({ address, tenant });
const say = (line: string) => process.stdout.write(`${line}\n`);
const work = await startScheduleWork({
  ...{
    database,
    jobs,
    clock: systemClock,
    fetch,
    noticeFetch: fetch,
    noticeResolve: async () => ['8.8.8.8'],
    env: {},
    model: { provider: 'builtin' },
  },
  sessions: {
    forPerson: of,
    forCaller: ({ sub }) => of(sub),
    grantOffline: async () => undefined,
    grantOfflineTo: async () => undefined,
    revokeOffline: async () => undefined,
  },
  news: { tell: () => undefined, hear: () => () => undefined, close: async () => undefined } as never,
  credentials: () => {
    throw new Error('no secret is asked for');
  },
  onError: (message) => say(`error ${message}`),
  concurrency: Number(concurrency),
});
const begun = process.cpuUsage();
say('ready');
// Told to end, it says what it cost.
process.stdin.once('data', async () => {
  const { user, system } = process.cpuUsage(begun);
  await work.stop();
  await jobs.close({ drainMs: 0 });
  await database.close();
  say(`cpu ${Math.round((user + system) / 1000)}`);
  process.exit(0);
});
