import { describe, expect, it } from 'vitest';
import { JOBS_SCHEMA } from '../../../src/jobs/pg-boss/jobs-schema.ts';
import { migrateJobs } from '../../../src/jobs/pg-boss/migrate-jobs.ts';
import { openPgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';
import { migrateSchema } from '../../../src/store/postgres/migrate.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { emptyDatabase, migratedDatabase, runSql, withPostgres } from '../support/database.ts';
import { blockJobsDatabase, openJobs } from './jobs-database.ts';

withPostgres('the tables of jobs', () => {
  it('are made by one of many at once, and left as they are after that', async () => {
    const empty = await emptyDatabase();
    try {
      await migrateSchema(empty.owner, stateSchema);
      await Promise.all(Array.from({ length: 3 }, () => migrateJobs(empty.owner)));
      await migrateJobs(empty.owner);
      const [owners] = await runSql(
        empty.superuser,
        `SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = '${JOBS_SCHEMA}'`,
      );
      expect(owners?.rows).toEqual([{ tableowner: new URL(empty.owner).searchParams.get('user') }]);
    } finally {
      await empty.drop();
    }
  });

  it('are wanted before there can be a job', async () => {
    const server = await migratedDatabase(stateSchema);
    const unfit = { code: 'invalid_config', hint: expect.stringContaining('owns its tables') };
    try {
      await expect(openPgBossQueue({ address: server.app, tenant: 'a' })).rejects.toMatchObject(unfit);
      await migrateJobs(server.owner);
      await runSql(server.owner, `UPDATE ${JOBS_SCHEMA}.version SET version = version - 1`);
      await expect(openPgBossQueue({ address: server.app, tenant: 'a' })).rejects.toMatchObject(unfit);
    } finally {
      await server.drop();
    }
  });

  describe('for the application’s login', () => {
    const server = blockJobsDatabase();

    it('hold its tenant’s rows alone, and none without one', async () => {
      const opened = await openJobs(server);
      try {
        const other = await opened.openOther();
        await other.database.write((unit) =>
          other.jobs.enqueue(unit, { kind: 'run', key: 'theirs', ids: { run: 'theirs' } }),
        );
        const theirs = `${other.database.tenant}/run`;
        const attempts = [
          `SELECT 1 FROM ${JOBS_SCHEMA}.job WHERE name = '${theirs}'`,
          `SELECT 1 FROM ${JOBS_SCHEMA}.job_common WHERE singleton_key = 'theirs'`,
          `SELECT 1 FROM ${JOBS_SCHEMA}.queue WHERE name = '${theirs}'`,
          `UPDATE ${JOBS_SCHEMA}.job SET data = '{}' WHERE name = '${theirs}'`,
          `DELETE FROM ${JOBS_SCHEMA}.job_common WHERE name = '${theirs}'`,
          `UPDATE ${JOBS_SCHEMA}.queue SET retry_limit = 0 WHERE name = '${theirs}'`,
        ];
        for (const attempt of attempts) {
          const rows = (database: typeof other.database) => database.write((unit) => unit.run(attempt));
          expect(await rows(opened.database), attempt).toBe(0);
          await expect(runSql(server.app, attempt), attempt).rejects.toThrow('no tenant is set');
        }
        const forged = `INSERT INTO ${JOBS_SCHEMA}.job (name, policy, singleton_key) VALUES ('${theirs}', 'key_strict_fifo', 'a')`;
        await expect(opened.database.write((unit) => unit.run(forged))).rejects.toThrow('row-level security');
        // What was tried on is there: it was not for want of it.
        const [found] = await runSql(server.superuser, attempts[0] ?? '');
        expect(found?.rowCount).toBe(1);
      } finally {
        await opened.close();
      }
    });

    it('can be neither changed in their form nor used for schedules', async () => {
      const denied = [
        `ALTER TABLE ${JOBS_SCHEMA}.job DISABLE ROW LEVEL SECURITY`,
        `DROP TRIGGER in_order ON ${JOBS_SCHEMA}.job`,
        `CREATE TABLE ${JOBS_SCHEMA}.mine (n integer)`,
        `INSERT INTO ${JOBS_SCHEMA}.schedule (name, cron) VALUES ('a/run', '* * * * *')`,
      ];
      for (const attempt of denied)
        await expect(runSql(server.app, attempt), attempt).rejects.toThrow(/permission denied|must be owner/);
    });

    it('hold nothing of what an error said', async () => {
      const opened = await openJobs(server);
      try {
        const jobs = await opened.open();
        await jobs.work('run', () => Promise.reject(new Error('sk-secret')));
        await opened.database.write((unit) => jobs.enqueue(unit, { kind: 'run', key: 'a', ids: {} }));
        await expect
          .poll(async () => {
            await opened.hurry();
            return (await jobs.dead()).length;
          })
          .toBe(1);
        const [kept] = await runSql(server.superuser, `SELECT job::text AS row FROM ${JOBS_SCHEMA}.job AS job`);
        const all = JSON.stringify(kept?.rows);
        expect(all).toContain('internal');
        expect(all).not.toContain('sk-secret');
      } finally {
        await opened.close();
      }
    });
  });
});
