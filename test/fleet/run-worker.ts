import { createInterface } from 'node:readline';

/*
 * A worker of runs as a process of its own, made of the sources of one program or another: node run-worker.ts PROGRAM ADDRESS
 * TENANT GATEWAY. A line of JSON has it begin runs, as that program's server would; it says "did RUN" of each turn that it took,
 * and told to end it gives back what it has in hand.
 */

/** What it is told to begin. */
export interface RunToBegin {
  readonly id: string;
  readonly person: string;
  readonly prompt: string;
}

const [, , program = '', address = '', tenant = '', gateway = ''] = process.argv;
const part = <Module>(path: string): Promise<Module> => import(`${program}/${path}`);

const [jobs, job, collector, parts, database, schema, news, due, session, machine, scopes] =
  await Promise.all([
    part<typeof import('../../src/jobs/pg-boss/pg-boss-queue.ts')>('src/jobs/pg-boss/pg-boss-queue.ts'),
    part<typeof import('../../src/server/jobs/run-job.ts')>('src/server/jobs/run-job.ts'),
    part<typeof import('../../src/server/jobs/run-collector.ts')>('src/server/jobs/run-collector.ts'),
    part<typeof import('../../src/server/server-parts.ts')>('src/server/server-parts.ts'),
    part<typeof import('../../src/store/postgres/open-database.ts')>('src/store/postgres/open-database.ts'),
    part<typeof import('../../src/store/postgres/migrations/state.ts')>(
      'src/store/postgres/migrations/state.ts',
    ),
    part<typeof import('../../src/store/postgres/state/run-news.ts')>('src/store/postgres/state/run-news.ts'),
    part<typeof import('../../src/store/postgres/state/due-runs.ts')>('src/store/postgres/state/due-runs.ts'),
    part<typeof import('../integration/agent/session.ts')>('test/integration/agent/session.ts'),
    part<typeof import('../../src/machine/clock.ts')>('src/machine/clock.ts'),
    part<typeof import('../../src/oauth/scopes.ts')>('src/oauth/scopes.ts'),
  ]);

const say = (line: string) => process.stdout.write(`${line}\n`);
const opened = await database.openDatabase({ address, schema: schema.stateSchema, tenant, max: 6 });
const queue = await jobs.pgBossQueue({ address, tenant, heard: (error) => say(`error ${error}`) });
const of = async (person: string) => session.sessionOf(session.profileAt(gateway), person);
const own = {
  ...{ database: opened, jobs: queue, news: news.postgresRunNews(opened), clock: machine.systemClock, fetch },
  ...{
    env: {},
    model: { provider: 'builtin' } as const,
    onError: (message: string) => say(`error ${message}`),
  },
  sessions: {
    ...{ of, seen: ({ sub }: { readonly sub: string }) => of(sub) },
    ...{ grantOffline: async () => undefined, keepOffline: async () => undefined },
    endOffline: async () => undefined,
  },
};
const drive = job.runJob(own);
await queue.work(
  'run',
  async (given, signal) => {
    await drive(given, signal);
    say(`did ${given.ids.run}`);
  },
  { concurrency: 8 },
);
const stop = new AbortController();
const collecting = collector.collectRuns(
  { ...own, due: due.postgresDueRuns(opened), paced: async () => undefined },
  stop.signal,
);
createInterface({ input: process.stdin }).on('line', async (line) => {
  for (const { id, person, prompt } of JSON.parse(line) as RunToBegin[]) {
    await parts.runsOf(own, person).begin(
      {
        ...{ id, thread: id, client: 'trade-agent', idempotencyKey: id, input: { prompt } },
        ...{ options: { approval: 'wait', ttl: 3_600 }, scopes: [...scopes.SESSION_SCOPES] },
      },
      Date.now(),
    );
  }
});
process.once('SIGTERM', async () => {
  stop.abort();
  await collecting;
  await queue.close({ drainMs: 1_000 });
  await own.news.close();
  await opened.close();
  process.exit(0);
});
say('ready');
