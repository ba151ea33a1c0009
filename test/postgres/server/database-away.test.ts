import { afterAll, beforeAll, expect, it } from 'vitest';
import { migrateJobs } from '../../../src/jobs/pg-boss/migrate-jobs.ts';
import { migrate } from '../../../src/store/postgres/migrate.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { appOf } from '../../../src/store/postgres/schema.ts';
import { problemSchema } from '../../../src/trading/views.ts';
import { type Cluster, postgresPrograms, SUPERUSER, startCluster } from '../support/cluster.ts';
import { newTenant, runSql, type TestDatabase, withPostgres } from '../support/database.ts';
import { type HttpWorld, startHttpWorld, type TestServer } from './http-world.ts';
import { type ServerWorld, startServerWorld } from './server-world.ts';

withPostgres('a server whose database is away', () => {
  let cluster: Cluster;
  let http: HttpWorld;
  let world: ServerWorld;
  let server: TestServer;
  const opened: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    cluster = await startCluster(postgresPrograms() ?? '');
    const superuser = cluster.address(SUPERUSER, 'postgres');
    await migrate(superuser, stateSchema);
    await migrateJobs(superuser);
    await runSql(superuser, `CREATE ROLE app LOGIN IN ROLE ${appOf(stateSchema.name)}`);
    const app = cluster.address('app', 'postgres');
    const open: TestDatabase['open'] = async (tenant = newTenant()) => {
      const database = await openDatabase({ address: app, schema: stateSchema, tenant });
      opened.push(database);
      return database;
    };
    [http, world] = await Promise.all([startHttpWorld(), startServerWorld({ app, open } as TestDatabase)]);
    server = await http.serve(world);
  });
  afterAll(async () => {
    await http.close();
    await world.close();
    await Promise.all(opened.map((database) => database.close()));
    await cluster.remove();
  });

  it('says so, and when to ask again, and answers as ever once it is back', async () => {
    const threads = () => server.ask('GET', '/v1/agent/threads');
    expect((await threads()).status).toBe(200);
    await cluster.stop('immediate');
    const refused = await threads();
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(problemSchema.parse(await refused.json())).toMatchObject({
      ...{ code: 'store_unavailable', detail: 'the server’s database does not answer' },
    });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    await cluster.start();
    await expect.poll(async () => (await threads()).status, { timeout: 20_000 }).toBe(200);
  });
});
