import type { App } from '../app.ts';
import { type AddressPlace, readDatabaseAddress } from '../gateway/gateway-database.ts';
import type { ServerPlaces } from './server-places.ts';

/**
 * Makes a server's tables in a PostgreSQL database, its jobs' as well, or brings them to this program's version; also while
 * servers and workers run.
 * @param place where the address of the login that owns the tables is read from
 * @returns from which version to which
 * @throws {TradeAgentError} `invalid_config`
 */
export async function migrateServer(
  { env }: Pick<App, 'env'>,
  { home }: Pick<ServerPlaces, 'home'>,
  place: AddressPlace,
): Promise<{ readonly from: number; readonly to: number }> {
  const address = readDatabaseAddress(place, home, env);
  const [{ migrateServerDatabase }, { migrateJobs }] = await Promise.all([
    import('../../store/postgres/server-database.ts'),
    import('../../jobs/pg-boss/migrate-jobs.ts'),
  ]);
  const migrated = await migrateServerDatabase(address);
  await migrateJobs(address);
  return migrated;
}
