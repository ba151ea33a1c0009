import { openPgBossQueue } from '../../../src/jobs/pg-boss/pg-boss-queue.ts';

const [, , address = '', tenant = ''] = process.argv;

// Takes a job and never ends it: for tests that kill it, or have it stand still.
const jobs = await openPgBossQueue({ address, tenant });
const handler = async ({ key }: { readonly key: string }, signal: AbortSignal) => {
  process.stdout.write(`${key}\n`);
  signal.addEventListener('abort', () => process.stdout.write(`${key} aborted\n`));
  await new Promise(() => {});
};
await jobs.work('run', handler, { concurrency: 1 });
