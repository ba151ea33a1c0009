import { expect, it } from 'vitest';
import { readWorkerBacklog } from '../../../src/app/server/serve-worker.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { JobQueue } from '../../../src/jobs/job-queue.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { postgresWorkerLeases } from '../../../src/store/postgres/state/worker-leases.ts';
import { runSql, withPostgres } from '../support/database.ts';
import { blockJobsDatabase, openJobs } from './jobs-database.ts';

withPostgres('what waits for a tenant’s workers', () => {
  const server = blockJobsDatabase();

  it('is counted by kind: what waits and how long, what is done now, what is dead; another tenant’s is not', async () => {
    const { database, open, openOther, hurry, close } = await openJobs(server);
    const jobs = await open();
    const enqueue = async (of: { database: typeof database; jobs: JobQueue }, key: string, at?: number) =>
      of.database.write((unit) =>
        of.jobs.enqueue(unit, { kind: 'run', key, ids: { run: key } }, at === undefined ? {} : { at }),
      );
    const backlog = () => readWorkerBacklog({ database, jobs, clock: systemClock });
    const runs = async () => (await backlog()).jobs.find(({ kind }) => kind === 'run');
    try {
      await enqueue(await openOther(), 'theirs');
      expect(await runs()).toEqual({ kind: 'run', waiting: 0, oldest: 0, running: 0 });
      await enqueue({ database, jobs }, 'one');
      await enqueue({ database, jobs }, 'two');
      // Not to be done yet: it waits for nobody.
      await enqueue({ database, jobs }, 'later', Date.now() + 60_000);
      await runSql(
        server.superuser,
        `UPDATE trade_agent_jobs.job SET created_on = created_on - interval '90 seconds' WHERE singleton_key = 'one'`,
      );
      const waiting = await runs();
      expect(waiting).toMatchObject({ waiting: 2, running: 0 });
      expect(waiting?.oldest).toBeGreaterThan(89);
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      await jobs.work('run', ({ ids }) => (ids.run === 'one' ? held : Promise.resolve()), { concurrency: 1 });
      await expect.poll(runs).toMatchObject({ waiting: 1, running: 1 });
      release();
      await expect.poll(runs).toEqual({ kind: 'run', waiting: 0, oldest: 0, running: 0 });
      await jobs.work('notice', async () => {
        throw new TradeAgentError('internal', 'it fails');
      });
      await database.write((unit) => jobs.enqueue(unit, { kind: 'notice', key: 'n', ids: { notice: 'n' } }));
      const dead = async () => {
        await hurry();
        return (await backlog()).dead;
      };
      await expect.poll(dead, { timeout: 20_000 }).toBe(1);
    } finally {
      await close();
    }
  });

  it('has what one worker alone does, while one does', async () => {
    const { database, open, close } = await openJobs(server);
    const jobs = await open();
    const leases = async () => (await readWorkerBacklog({ database, jobs, clock: systemClock })).leases;
    try {
      expect(await leases()).toEqual([]);
      const holder = postgresWorkerLeases(database);
      await holder.hold('sweep', 60_000);
      expect(await leases()).toEqual([{ name: 'sweep', isHeld: true }]);
      await holder.release();
      expect(await leases()).toEqual([{ name: 'sweep', isHeld: false }]);
      expect(await postgresWorkerLeases(database).hold('sweep', 60_000)).toBe(true);
    } finally {
      await close();
    }
  });
});
