import { beforeAll } from 'vitest';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { gatewayStoresContract } from '../contract/stores/gateway-stores.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

withPostgres('the gateway’s stores on PostgreSQL', () => {
  const server = blockDatabase(gatewaySchema);
  let ours: (tenant: string) => TenantDatabase;
  let anothers: (tenant: string) => TenantDatabase;
  beforeAll(async () => {
    [ours, anothers] = [await server.lend(), await server.lend()];
  });

  // Each test is a tenant of its own, and what is another process in it has connections of its own.
  gatewayStoresContract(async () => {
    const tenant = newTenant();
    const seal = createAuthReqIdSeal('of the test');
    const stores = await postgresGatewayStores(ours(tenant), seal);
    const other = await postgresGatewayStores(anothers(tenant), seal);
    return { stores, another: () => other, close: async () => undefined };
  });
});
