import { afterAll, beforeAll } from 'vitest';
import { jobQueueContract } from '../../contract/jobs/job-queue.ts';
import { type TestDatabase, withPostgres } from '../support/database.ts';
import { jobsDatabase, openJobs } from './jobs-database.ts';

withPostgres('jobs by pg-boss', () => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await jobsDatabase();
  });
  afterAll(() => server.drop());

  jobQueueContract(() => openJobs(server));
});
