import { afterAll, beforeAll, expect, it } from 'vitest';
import { runWorkers } from '../../../src/jobs/run-workers.ts';
import { type TestDatabase, withPostgres } from '../support/database.ts';
import { jobsDatabase, openJobs } from './jobs-database.ts';

withPostgres('a process that does jobs', () => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await jobsDatabase();
  });
  afterAll(() => server.drop());

  it('does those of each kind until it is told to stop, and ends once what is under way has', async () => {
    const opened = await openJobs(server);
    try {
      const [jobs, stopping, seen] = [await opened.open(), new AbortController(), [] as string[]];
      const end = Promise.withResolvers<void>();
      const running = runWorkers(
        jobs,
        {
          run: {
            handler: async ({ key }, signal) => {
              seen.push(`run ${key}`);
              await end.promise;
              seen.push(`${key} ended, ${signal.aborted ? 'told to' : 'by itself'}`);
            },
          },
          notice: { handler: async ({ key }) => void seen.push(`notice ${key}`), concurrency: 1 },
        },
        { signal: stopping.signal },
      ).then(() => seen.push('stopped'));
      await opened.database.write(async (unit) => {
        await jobs.enqueue(unit, { kind: 'run', key: 'a', ids: {} });
        await jobs.enqueue(unit, { kind: 'notice', key: 'b', ids: {} });
      });
      await expect.poll(() => seen.toSorted()).toEqual(['notice b', 'run a']);
      stopping.abort();
      end.resolve();
      await running;
      expect(seen.slice(2)).toEqual(['a ended, by itself', 'stopped']);
    } finally {
      await opened.close();
    }
  });
});
