import { afterAll, beforeAll, describe, inject } from 'vitest';
import { stateSchema } from '../../src/store/postgres/migrations/state.ts';
import { jobQueueContract } from '../contract/jobs/job-queue.ts';
import { migratedDatabase, type TestDatabase } from '../postgres/support/database.ts';
import { openJobs, startedTemporal } from './jobs.ts';
import type { TemporalServer } from './temporal-server.ts';

describe.runIf(inject('temporalBinary') !== undefined)('jobs by Temporal', () => {
  let [server, temporal]: [TestDatabase?, TemporalServer?] = [];
  beforeAll(async () => {
    [server, temporal] = await Promise.all([migratedDatabase(stateSchema), startedTemporal()]);
  });
  afterAll(async () => {
    await temporal?.remove();
    await server?.drop();
  });

  jobQueueContract(() => openJobs(server as TestDatabase, temporal as TemporalServer));
});
