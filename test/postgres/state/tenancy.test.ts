import { afterAll, beforeAll, expect, it } from 'vitest';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { isHeldLease } from '../../../src/store/postgres/state/held-lease.ts';
import { postgresStateStores } from '../../../src/store/postgres/state/state-stores.ts';
import { migratedDatabase, runSql, type TestDatabase, withPostgres } from '../support/database.ts';

withPostgres('what the agent keeps of many people', () => {
  let server: TestDatabase;
  let tables: { readonly name: string; readonly forced: boolean; readonly keys: string[] }[];
  beforeAll(async () => {
    server = await migratedDatabase(stateSchema);
    const [found] = await runSql(
      server.superuser,
      `SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced,
         (SELECT array_agg(DISTINCT attname::text) FROM pg_index
            JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
          WHERE indrelid = pg_class.oid AND indisunique) AS keys
       FROM pg_class WHERE relnamespace = '${stateSchema.name}'::regnamespace AND relkind = 'r'
         AND relname <> 'schema_version' ORDER BY relname`,
    );
    tables = found?.rows ?? [];
  });
  afterAll(() => server.drop());

  it('has every table under forced row security, and every unique key begin with the tenant', () => {
    expect(tables.length).toBeGreaterThan(4);
    for (const { name, forced, keys } of tables)
      expect({ name, forced, keys }).toEqual({ name, forced: true, keys: ['tenant'] });
  });

  it('fails without a tenant, for the application and for whoever owns the tables', async () => {
    for (const address of [server.app, server.owner])
      for (const { name } of tables)
        await expect(
          runSql(address, `SELECT count(*) FROM ${stateSchema.name}.${name}`),
          name,
        ).rejects.toThrow(/no (tenant|person) is set/);
  });

  const run = {
    ...{ id: 't1', owner: { profile: 'test', sub: 'alice' }, title: 'buy', holder: 'one' },
    ...{ expected: undefined, now: 1000, until: 31_000 },
  };

  it('has one tenant’s thread be nobody else’s, under the same name', async () => {
    const [ours, theirs] = [
      postgresStateStores(await server.open()),
      postgresStateStores(await server.open()),
    ];
    expect((await ours.threads.begin(run)).outcome).toBe('begun');
    expect(await theirs.threads.find('t1')).toBeUndefined();
    expect(await theirs.threads.list(run.owner)).toEqual([]);
    expect((await theirs.threads.begin({ ...run, expected: 1 })).outcome).toBe('stale');
    expect((await theirs.threads.begin(run)).outcome).toBe('begun');
    expect(await theirs.threads.remove('t1', { epoch: 1 })).toBe('removed');
    expect((await ours.threads.find('t1'))?.holder).toBe('one');
  });

  it('lets nobody take a thread between the question whose it is and what is written by the answer', async () => {
    const database = await server.open();
    const begun = await postgresStateStores(database).threads.begin(run);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const elsewhere = postgresStateStores(await server.open(database.tenant));
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    let taking: Promise<unknown> = Promise.resolve();
    await database.write(async (unit) => {
      expect(await isHeldLease(unit, begun.lease, { keep: true })).toBe(true);
      taking = elsewhere.threads.begin({ ...run, holder: 'two', expected: 1 });
      await expect.poll(async () => (await runSql(server.superuser, waiting))[0]?.rowCount).toBe(1);
      expect(await isHeldLease(unit, begun.lease, { keep: true })).toBe(true);
    });
    expect(await taking).toMatchObject({ outcome: 'begun' });
  });
});
