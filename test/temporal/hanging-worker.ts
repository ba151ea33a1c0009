import { createTemporalQueue } from '../../src/jobs/temporal/temporal-queue.ts';
import { openServerDatabase } from '../../src/store/postgres/server-database.ts';

const [, , address = '', namespace = '', databaseAddress = '', tenant = ''] = process.argv;

// Takes a job and never ends it: for tests that kill it, or have it stand still.
const database = await openServerDatabase({ address: databaseAddress, tenant });
const connection = () => ({ address, tls: false });
const jobs = createTemporalQueue({ database, connection, namespace });
const handler = async ({ key }: { readonly key: string }, signal: AbortSignal) => {
  process.stdout.write(`${key}\n`);
  signal.addEventListener('abort', () => process.stdout.write(`${key} aborted\n`));
  await new Promise(() => {});
};
await jobs.work('run', handler, { concurrency: 1 });
