import { beforeAll, expect, it } from 'vitest';
import type { GatewayStores } from '../../src/store/gateway-stores.ts';
import { postgresGatewayKeyRows, postgresRegistrationStorage } from '../../src/store/postgres/gateway-database.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { deleteExpiredProofsSql } from '../../src/store/sql/proof-store.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';
import { filledStores } from './support/filled-stores.ts';

withPostgres('the gateway’s tables', () => {
  const server = blockDatabase(gatewaySchema);
  let stores: GatewayStores;
  const [ours, theirs] = [newTenant(), newTenant()];
  let tables: string[];
  const path = `SET search_path = ${gatewaySchema.name}`;
  const as = (tenant: string) => `SELECT set_config('ta.tenant', '${tenant}', false)`;
  const rowsOf = async (address: string, ...statements: string[]) =>
    (await runSql(address, path, ...statements)).at(-1)?.rows as Record<string, unknown>[];

  beforeAll(async () => {
    const database = await server.open(ours);
    stores = await postgresGatewayStores(database);
    await filledStores(stores);
    const keys = postgresGatewayKeyRows(database);
    await postgresRegistrationStorage(database).write(undefined, 'registered');
    await keys.addFirstSeal({ name: 'seal', version: 1, wrapped: 'wrapped' }, 'check');
    const all = await rowsOf(
      server.superuser,
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = '${gatewaySchema.name}'
         AND tablename <> 'schema_version' ORDER BY 1`,
    );
    tables = all.map(({ name }) => String(name));
  });

  it('are all tried here: each has a row', async () => {
    for (const table of tables) {
      const rows = await rowsOf(server.superuser, `SELECT tenant FROM ${table}`);
      expect(new Set(rows.map(({ tenant }) => tenant)), table).toEqual(new Set([ours]));
    }
    expect(tables.length).toBeGreaterThan(15);
  });

  it('hold their rows to a tenant, their owner too', async () => {
    const held = await rowsOf(
      server.superuser,
      `SELECT relname AS name FROM pg_class WHERE relnamespace = '${gatewaySchema.name}'::regnamespace
         AND relkind = 'r' AND relrowsecurity AND relforcerowsecurity ORDER BY 1`,
    );
    expect(held.map(({ name }) => name)).toEqual(tables);
  });

  it('have the tenant first in each key and each unique index, and in each reference', async () => {
    const keys = await rowsOf(
      server.superuser,
      `SELECT indexrelid::regclass::text AS name, attname AS first FROM pg_index
         JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
         JOIN pg_class ON pg_class.oid = indrelid
       WHERE relnamespace = '${gatewaySchema.name}'::regnamespace AND indisunique AND relname <> 'schema_version'`,
    );
    expect(keys.length).toBeGreaterThanOrEqual(tables.length);
    expect(keys.filter(({ first }) => first !== 'tenant')).toEqual([]);
    const references = await rowsOf(
      server.superuser,
      `SELECT conname AS name, attname AS first FROM pg_constraint
         JOIN pg_attribute ON attrelid = confrelid AND attnum = confkey[1] WHERE contype = 'f'`,
    );
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter(({ first }) => first !== 'tenant')).toEqual([]);
  });

  it('fail, empty or not, where a statement has no tenant', async () => {
    // A connection that had one, as the pool gives it to the next.
    const earlier = "BEGIN; SELECT set_config('ta.tenant', 'nobody', true); COMMIT";
    for (const table of tables) {
      for (const statement of [`SELECT count(*) FROM ${table}`, `INSERT INTO ${table} DEFAULT VALUES`]) {
        for (const [address, ...before] of [[server.app], [server.app, earlier], [server.owner]] as const)
          await expect(runSql(address, path, ...before, statement), statement).rejects.toThrow('no tenant is set');
      }
    }
  });

  it('show another tenant none of it, take none in its name, and give none away', async () => {
    for (const table of tables) {
      const foreign = await rowsOf(server.app, as(theirs), `SELECT * FROM ${table} WHERE tenant = '${ours}'`);
      expect(foreign, table).toEqual([]);
      const columns = await rowsOf(
        server.superuser,
        `SELECT string_agg(quote_ident(attname), ', ') AS list FROM pg_attribute
         WHERE attrelid = '${gatewaySchema.name}.${table}'::regclass AND attnum > 0 AND attidentity = ''
           AND attname <> 'tenant'`,
      );
      const list = String(columns[0]?.list);
      const copy = `INSERT INTO ${table} (tenant, ${list}) SELECT '${theirs}', ${list} FROM ${table}`;
      await expect(runSql(server.app, path, as(ours), copy), copy).rejects.toThrow('row-level security');
      // Where it may change rows at all.
      await expect(
        runSql(server.app, path, as(ours), `UPDATE ${table} SET tenant = '${theirs}'`),
        table,
      ).rejects.toThrow(/row-level security|permission denied/);
    }
    const others = await postgresGatewayStores(await server.open(theirs));
    expect(await others.proposals.list({ state: 'all' })).toEqual([]);
    expect(await others.proposals.version('alice')).toBe(0);
    expect(await others.keys.listByPerson('alice')).toEqual([]);
    expect(await others.orders.find('alice', 'ta-00000001')).toBeUndefined();
  });

  it('keep what was recorded, used, signed and decided from being changed by the application', async () => {
    for (const table of ['record_lines', 'used_approvals', 'signatures', 'proposal_keys']) {
      for (const statement of [`UPDATE ${table} SET tenant = tenant`, `DELETE FROM ${table}`, `TRUNCATE ${table}`]) {
        await expect(runSql(server.app, path, as(ours), statement), statement).rejects.toThrow('permission denied');
      }
    }
    await expect(runSql(server.app, path, as(ours), 'DELETE FROM gateway_orders')).rejects.toThrow('permission denied');
  });

  it('let the sweeper at proofs that are over, of every tenant, and at nothing else', async () => {
    const others = await postgresGatewayStores(await server.open(theirs));
    await stores.proofs.remember('old', 10_000, 9_000);
    await others.proofs.remember('old', 10_000, 9_000);
    const [, swept] = await runSql(
      server.sweeper,
      path,
      deleteExpiredProofsSql('gateway_dpop_proofs').replace('@now', '10001'),
    );
    expect(swept?.rowCount).toBeGreaterThanOrEqual(2);
    for (const table of tables.filter((name) => name !== 'gateway_dpop_proofs')) {
      await expect(runSql(server.sweeper, path, `SELECT * FROM ${table}`), table).rejects.toThrow('permission denied');
    }
  });
});
