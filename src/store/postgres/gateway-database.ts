import { recountOrders } from '../sql/order-recount.ts';
import { type Migrated, migrate } from './migrate.ts';
import { gatewaySchema } from './migrations/gateway.ts';
import { type OpenOptions, openDatabase } from './open-database.ts';
import { postgresDatabase } from './sql-database.ts';
import type { TenantDatabase } from './tenant-database.ts';

/*
 * Everything that a program needs for a gateway on PostgreSQL, in one module: it is loaded where one is used, and the driver
 * with it.
 */

export { postgresGatewayKeyRows } from './gateway-key-rows.ts';
export { postgresGatewayStores } from './gateway-stores.ts';
export { haveSameSeal } from './head.ts';
export { postgresRegistrationPlace } from './registration-place.ts';

/** See {@link recountOrders}. */
export const recountTenant = (database: TenantDatabase, now: number) =>
  recountOrders(postgresDatabase(database), now);

export function openGateway(options: Omit<OpenOptions, 'schema'>): Promise<TenantDatabase> {
  return openDatabase({ ...options, schema: gatewaySchema });
}

/** @param address of the login that owns the tables */
export function migrateGateway(address: string): Promise<Migrated> {
  return migrate(address, gatewaySchema);
}
