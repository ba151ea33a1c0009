import { fileURLToPath } from 'node:url';
import type { JobQueue } from '../../../src/jobs/job-queue.ts';
import { JOBS_SCHEMA } from '../../../src/jobs/pg-boss/jobs-schema.ts';
import { migrateJobs } from '../../../src/jobs/pg-boss/migrate-jobs.ts';
import { openPgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import type { OpenedJobs } from '../../contract/jobs/job-queue.ts';
import { forBlock, migratedDatabase, runSql, type TestDatabase } from '../support/database.ts';

export async function jobsDatabase(): Promise<TestDatabase> {
  const server = await migratedDatabase(stateSchema);
  await migrateJobs(server.owner);
  return server;
}

export const blockJobsDatabase = (): TestDatabase => forBlock(jobsDatabase);

export async function openJobs(server: TestDatabase): Promise<OpenedJobs> {
  const database = await server.open();
  const opened: JobQueue[] = [];
  const open = async (tenant = database.tenant) => {
    const jobs = await openPgBossQueue({ address: server.app, tenant });
    opened.push(jobs);
    return jobs;
  };
  return {
    database,
    open: () => open(),
    async openOther() {
      const other = await server.open();
      return { database: other, jobs: await open(other.tenant) };
    },
    hurry: async () =>
      void (await runSql(
        server.superuser,
        `UPDATE ${JOBS_SCHEMA}.job_common SET start_after = now() WHERE state = 'retry'`,
      )),
    hangingWorker: [fileURLToPath(new URL('hanging-worker.ts', import.meta.url)), server.app, database.tenant],
    close: async () => void (await Promise.all(opened.map((jobs) => jobs.close({ drainMs: 0 })))),
  };
}
