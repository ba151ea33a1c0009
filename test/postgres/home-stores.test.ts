import { beforeAll, expect, it } from 'vitest';
import { homeSchema } from '../../src/store/postgres/migrations/home.ts';
import { postgresTransactions } from '../../src/store/postgres/sql-database.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { homeStoresContract } from '../contract/stores/home/home-stores.ts';
import { blockDatabase, newTenant, runSql, withPostgres } from './support/database.ts';

withPostgres('a home’s stores on PostgreSQL', () => {
  const server = blockDatabase(homeSchema);
  let ours: (tenant: string) => TenantDatabase;
  let anothers: (tenant: string) => TenantDatabase;
  beforeAll(async () => {
    [ours, anothers] = [await server.lend(), await server.lend()];
  });

  homeStoresContract(async () => {
    const tenant = newTenant();
    return {
      database: postgresTransactions(ours(tenant), 'place'),
      another: postgresTransactions(anothers(tenant), 'place'),
      close: async () => undefined,
    };
  });

  it('limits each table and each unique index to the tenant', async () => {
    const schema = `'${homeSchema.name}'::regnamespace`;
    const [tables, limited, others] = await runSql(
      server.superuser,
      `SELECT relname FROM pg_class WHERE relnamespace = ${schema} AND relkind = 'r' AND relname <> 'schema_version'`,
      `SELECT relname FROM pg_class WHERE relnamespace = ${schema} AND relrowsecurity AND relforcerowsecurity`,
      `SELECT indexrelid::regclass FROM pg_index
         JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
         JOIN pg_class ON pg_class.oid = indrelid
       WHERE relnamespace = ${schema} AND indisunique AND relname <> 'schema_version' AND attname <> 'tenant'`,
    );
    expect(limited?.rowCount).toBe(tables?.rowCount);
    expect(limited?.rowCount).toBeGreaterThan(30);
    expect(others?.rows).toEqual([]);
  });
});
