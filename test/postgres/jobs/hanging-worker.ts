import { pgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';

const [, , address = '', tenant = ''] = process.argv;

// Takes each job and never ends it: for tests that kill it.
const jobs = await pgBossQueue({ address, tenant });
await jobs.work('run', async ({ key }) => {
  process.stdout.write(`${key}\n`);
  await new Promise(() => {});
});
