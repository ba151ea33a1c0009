import { jobQueueContract } from '../../contract/jobs/job-queue.ts';
import { withPostgres } from '../support/database.ts';
import { blockJobsDatabase, openJobs } from './jobs-database.ts';

withPostgres('jobs by pg-boss', () => {
  const server = blockJobsDatabase();

  jobQueueContract(() => openJobs(server));
});
