import { createJobOutbox } from '../../src/jobs/temporal/outbox.ts';
import { startJobRelay } from '../../src/jobs/temporal/relay.ts';
import { openTemporal } from '../../src/jobs/temporal/temporal-engine.ts';
import { openServerDatabase } from '../../src/store/postgres/server-database.ts';
import { postgresWorkerLeases } from '../../src/store/postgres/state/worker-leases.ts';

const [, , address = '', namespace = '', databaseAddress = '', tenant = ''] = process.argv;

// Hands over, and is gone before it has noted that it did.
const database = await openServerDatabase({ address: databaseAddress, tenant });
const outbox = createJobOutbox(database);
const heard = (error: unknown) => console.error(error);
const engine = await openTemporal({ connection: { address, tls: false }, namespace, tenant, outbox, heard });
startJobRelay({
  ...{ outbox, leases: postgresWorkerLeases(database), heard },
  async handOver(job, ids) {
    await engine.handOver(job, ids);
    process.kill(process.pid, 'SIGKILL');
  },
});
