// A PostgreSQL of a benchmark's own, as an operator would set it up, and what it takes of the machine.
import pg from 'pg';
import { migrate } from '../../../src/store/postgres/migrate.ts';
import { gatewaySchema } from '../../../src/store/postgres/migrations/gateway.ts';
import { appOf } from '../../../src/store/postgres/schema.ts';
import { postgresPrograms, SUPERUSER, startCluster } from '../../../test/postgres/support/cluster.ts';
import { memoryOf, processorOf, serverProcesses, sumOf } from './processes.mjs';

/** Waits for the disk, as one must that others rely on. @throws where there is no PostgreSQL on this machine */
export async function startDatabase() {
  const programs = postgresPrograms();
  if (programs === undefined)
    throw new Error('there is no PostgreSQL here (Debian: apt-get install postgresql)');
  const cluster = await startCluster(programs, { durable: true });
  const owner = cluster.address(SUPERUSER, 'postgres');
  await migrate(owner, gatewaySchema);
  const client = new pg.Client({ connectionString: owner });
  await client.connect();
  await client.query(`CREATE ROLE gateways LOGIN IN ROLE ${appOf(gatewaySchema.name)}`);
  await client.query(`SET search_path = ${gatewaySchema.name}`);
  return {
    /** As the gateways sign in. */
    address: cluster.address('gateways', 'postgres'),
    /** As one whom row security does not hold. */
    query: (text, values) => client.query(text, values),
    processor: () => sumOf(serverProcesses(), processorOf),
    /** Bytes, what processes share counted once. */
    memory: () => sumOf(serverProcesses(), memoryOf),
    async close() {
      await client.end();
      await cluster.remove();
    },
  };
}
