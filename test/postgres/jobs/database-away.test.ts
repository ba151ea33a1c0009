import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { countJobs } from '../../../src/jobs/pg-boss/job-counts.ts';
import { migrateJobs } from '../../../src/jobs/pg-boss/migrate-jobs.ts';
import { openPgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';
import { migrateSchema } from '../../../src/store/postgres/migrate.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { appRole } from '../../../src/store/postgres/schema.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../support/cluster.ts';
import { runSql, withPostgres } from '../support/database.ts';

withPostgres('jobs whose database goes away', () => {
  let cluster: Cluster;
  const tenant = 'a';
  beforeAll(async () => {
    cluster = await startCluster(postgresPrograms() ?? '', { durable: true });
    const superuser = cluster.address(SUPERUSER, 'postgres');
    await migrateSchema(superuser, stateSchema);
    await migrateJobs(superuser);
    await runSql(superuser, `CREATE ROLE app LOGIN IN ROLE ${appRole(stateSchema.name)}`);
  });
  afterAll(() => cluster.remove());
  const address = () => cluster.address('app', 'postgres');

  it('go on when it is back, each that was enqueued once it has said so', async () => {
    const problems: unknown[] = [];
    const database = await openDatabase({ address: address(), schema: stateSchema, tenant });
    const jobs = await openPgBossQueue({ address: address(), tenant, onError: (error) => problems.push(error) });
    try {
      const [seen, begun, end] = [[] as string[], Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await jobs.work('run', async ({ key }) => {
        seen.push(key);
        if (key !== 'a') return;
        begun.resolve();
        await end.promise;
      });
      const enqueue = (key: string) =>
        database.write((unit) => jobs.enqueue(unit, { kind: 'run', key, ids: { run: key } }));
      await enqueue('a');
      await begun.promise;
      await cluster.stop('immediate');
      await expect(enqueue('lost')).rejects.toThrow();
      await expect.poll(() => problems.length).toBeGreaterThan(0);
      // Another process comes up while it is away, and waits for it.
      const other = openPgBossQueue({ address: address(), tenant });
      await cluster.start();
      await enqueue('b');
      await expect.poll(() => seen).toContain('b');
      end.resolve();
      await (await other).close();
      expect(seen).not.toContain('lost');
    } finally {
      await jobs.close({ drainMs: 0 });
      await database.close();
    }
  });

  it.each([
    ['before they have ended', false],
    ['right after', true],
  ])('hold no key where it goes away %s, and are done once', { timeout: 40_000 }, async (_, isOver) => {
    const database = await openDatabase({ address: address(), schema: stateSchema, tenant });
    const jobs = await openPgBossQueue({ address: address(), tenant });
    try {
      const seen: string[] = [];
      const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      await jobs.work('run', async ({ ids: { run = '' } }) => {
        seen.push(run);
        begun.resolve();
        await end.promise;
      });
      const enqueue = (run: string) =>
        database.write((unit) => jobs.enqueue(unit, { kind: 'run', key: 'held', ids: { run } }));
      const running = async () => (await countJobs(database)).jobs.map((one) => one.running);
      await enqueue('first');
      await begun.promise;
      // That it was taken up is on disk; what is told below is not waited for.
      await runSql(cluster.address(SUPERUSER, 'postgres'), 'CHECKPOINT');
      if (isOver) {
        end.resolve();
        await expect.poll(running, { interval: 5 }).not.toContain(1);
      }
      await cluster.stop('immediate');
      end.resolve();
      await cluster.start();
      await vi.waitFor(() => enqueue('second'), { timeout: 10_000 });
      await expect.poll(() => seen.at(-1), { timeout: 20_000 }).toBe('second');
      expect(seen).toEqual(['first', 'second']);
    } finally {
      await jobs.close({ drainMs: 0 });
      await database.close();
    }
  });
});
