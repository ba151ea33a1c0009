import { migrateSchema } from './migrate.ts';
import { stateSchema } from './migrations/state.ts';
import { type OpenDatabaseOptions, openDatabase } from './open-database.ts';
import type { TenantDatabase } from './tenant-database.ts';

/*
 * Everything that a program needs to keep a server's state on PostgreSQL. It is one module, so that the module and the
 * driver are loaded only if PostgreSQL is used.
 */

export { postgresRateBuckets } from './rate-buckets.ts';
export { postgresCredentialStore } from './state/credential-store.ts';
export { postgresDataKeyRows } from './state/data-key-rows.ts';
export { postgresDueRuns } from './state/due-runs.ts';
export { postgresRunAnnouncements } from './state/run-news.ts';

export function openServerDatabase(options: Omit<OpenDatabaseOptions, 'schema'>): Promise<TenantDatabase> {
  return openDatabase({ ...options, schema: stateSchema });
}

/** @param address connection string of the role that owns the tables */
export function migrateServerDatabase(address: string) {
  return migrateSchema(address, stateSchema);
}
