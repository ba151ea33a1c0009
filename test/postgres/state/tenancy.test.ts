import { beforeAll, expect, it } from 'vitest';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { runTransactionWork } from '../../../src/store/postgres/sql-database.ts';
import { limitToPerson, type PersonDatabase } from '../../../src/store/postgres/state/person-database.ts';
import { postgresStateStores } from '../../../src/store/postgres/state/state-stores.ts';
import { isHeldLease } from '../../../src/store/sql/thread-store.ts';
import { blockDatabase, runSql, withPostgres } from '../support/database.ts';

withPostgres('what the agent keeps of many people', () => {
  const server = blockDatabase(stateSchema);
  let tables: { readonly name: string; readonly forced: boolean; readonly keys: string[] }[];
  beforeAll(async () => {
    const [found] = await runSql(
      server.superuser,
      `SELECT relname AS name, relrowsecurity AND relforcerowsecurity AS forced,
         (SELECT array_agg(DISTINCT keys.names) FROM pg_index,
            LATERAL (SELECT string_agg(attname, ',' ORDER BY attnum) AS names FROM pg_attribute
                     WHERE attrelid = indrelid AND attnum IN (indkey[0], indkey[1])) AS keys
          WHERE indrelid = pg_class.oid AND indisunique) AS keys
       FROM pg_class WHERE relnamespace = '${stateSchema.name}'::regnamespace AND relkind = 'r'
         AND relname <> 'schema_version' ORDER BY relname`,
    );
    tables = found?.rows ?? [];
  });

  it('has every table under forced row security, and every unique key begin with whose the row is', () => {
    const ofTenant: Record<string, string> = {
      calendars: 'tenant',
      worker_leases: 'tenant,name',
      closes: 'tenant,symbol',
      data_keys: 'tenant,version',
      rate_buckets: 'tenant,bucket',
      server_dpop_proofs: 'tenant,proof',
    };
    expect(tables.length).toBeGreaterThan(15);
    for (const { name, forced, keys } of tables)
      expect({ name, forced, keys }).toEqual({
        name,
        forced: true,
        keys: [ofTenant[name] ?? 'tenant,person'],
      });
  });

  it('fails without a tenant, for the application and for whoever owns the tables', async () => {
    for (const address of [server.app, server.owner])
      for (const { name } of tables)
        await expect(runSql(address, `SELECT count(*) FROM ${stateSchema.name}.${name}`), name).rejects.toThrow(
          /no (tenant|person) is set/,
        );
  });

  it('fails without a person, where rows are one person’s', async () => {
    const database = await server.open();
    const ofPeople = tables.filter(
      ({ name, keys }) =>
        keys[0] === 'tenant,person' &&
        !['credential_holders', 'run_due', 'schedule_times', 'conditions'].includes(name),
    );
    expect(ofPeople.length).toBeGreaterThan(12);
    for (const { name } of ofPeople)
      await expect(
        database.read((unit) => unit.all(`SELECT count(*) FROM ${name}`)),
        name,
      ).rejects.toThrow('no person is set');
  });

  const run = {
    ...{ id: 't1', owner: { profile: 'test', sub: 'alice' }, title: 'buy', holder: 'one' },
    ...{ expected: undefined, now: 1000, until: 31_000 },
  };

  const stores = (database: PersonDatabase, person = 'alice') => postgresStateStores(limitToPerson(database, person));

  it.each(['tenant', 'person'])('has a thread be of no other %s, under the same name', async (other) => {
    const database = await server.open();
    const ours = stores(database);
    const theirs = other === 'tenant' ? stores(await server.open()) : stores(database, 'bob');
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
    const begun = await stores(database).threads.begin(run);
    if (begun.outcome !== 'begun') throw new Error(begun.outcome);
    const elsewhere = stores(await server.open(database.tenant));
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    let taking: Promise<unknown> = Promise.resolve();
    await limitToPerson(database, 'alice').write(async (unit) => {
      expect(await runTransactionWork(unit, isHeldLease(begun.lease, ' FOR SHARE'))).toBe(true);
      taking = elsewhere.threads.begin({ ...run, holder: 'two', expected: 1 });
      await expect.poll(async () => (await runSql(server.superuser, waiting))[0]?.rowCount).toBe(1);
      expect(await runTransactionWork(unit, isHeldLease(begun.lease, ' FOR SHARE'))).toBe(true);
    });
    expect(await taking).toMatchObject({ outcome: 'begun' });
  });
});
