import type { DueRun, DueRuns } from '../run-store.ts';
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
export { postgresRunAnnouncements } from './state/run-news.ts';

export function openServerDatabase(options: Omit<OpenDatabaseOptions, 'schema'>): Promise<TenantDatabase> {
  return openDatabase({ ...options, schema: stateSchema });
}

/** @param address connection string of the role that owns the tables */
export function migrateServerDatabase(address: string) {
  return migrateSchema(address, stateSchema);
}

/** Finds the due runs of all users of a tenant. Reads only the IDs of users and runs. */
export function postgresDueRuns(database: Pick<TenantDatabase, 'write'>): DueRuns {
  return {
    claim: (now, again, limit) =>
      database.write((unit) =>
        unit.last.all<DueRun>(
          // Materialized, because a repeated subquery would skip the rows that it has locked, and lock more than the limit.
          `WITH due AS MATERIALIZED (
             SELECT person, run FROM run_due WHERE at <= @now ORDER BY at LIMIT @limit FOR UPDATE SKIP LOCKED
           )
           UPDATE run_due SET at = @again FROM due
           WHERE run_due.person = due.person AND run_due.run = due.run RETURNING run_due.person, run_due.run`,
          { now, again, limit },
        ),
      ),
  };
}
