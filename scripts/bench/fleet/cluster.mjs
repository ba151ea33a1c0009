// Starts a PostgreSQL for a benchmark, set up as an operator would, and measures its resource use.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { postgresPrograms, SUPERUSER, startCluster } from '../../../test/postgres/support/cluster.ts';
import { memoryOf, processorOf, serverProcesses, sumOf } from './processes.mjs';

/**
 * Starts the database with fsync on, as in production.
 * @param root the checkout whose tables it gets
 * @throws if PostgreSQL is not installed
 */
export async function startDatabase(root = join(import.meta.dirname, '../../..')) {
  const load = async (file) => await import(pathToFileURL(join(root, 'src/store/postgres', file)).href);
  const { migrateSchema } = await load('migrate.ts');
  const { gatewaySchema } = await load('migrations/gateway.ts');
  const { appRole } = await load('schema.ts');
  const programs = postgresPrograms();
  if (programs === undefined) throw new Error('there is no PostgreSQL here (Debian: apt-get install postgresql)');
  const cluster = await startCluster(programs, { durable: true });
  const owner = cluster.address(SUPERUSER, 'postgres');
  await migrateSchema(owner, gatewaySchema);
  const client = new pg.Client({ connectionString: owner });
  await client.connect();
  await client.query(`CREATE ROLE gateways LOGIN IN ROLE ${appRole(gatewaySchema.name)}`);
  await client.query(`SET search_path = ${gatewaySchema.name}`);
  return {
    /** Address with the gateways' login. */
    address: cluster.address('gateways', 'postgres'),
    /** Runs a query as a user that bypasses row security. */
    query: (text, values) => client.query(text, values),
    processor: () => sumOf(serverProcesses(), processorOf),
    /** Memory use in bytes, counting shared memory once. */
    memory: () => sumOf(serverProcesses(), memoryOf),
    async close() {
      await client.end();
      await cluster.remove();
    },
  };
}
