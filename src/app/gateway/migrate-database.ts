import type { App } from '../app.ts';
import { type AddressPlace, readDatabaseAddress } from './gateway-database.ts';
import type { GatewayPlaces } from './gateway-key.ts';

/**
 * Makes a gateway's tables in a PostgreSQL database, or brings them to this program's version; also while gateways run.
 * @param place where the address of the login that owns the tables is read from
 * @returns from which version to which
 * @throws {TradeAgentError} `invalid_config`
 */
export async function migrateDatabase(
  { env }: Pick<App, 'env'>,
  { home }: Pick<GatewayPlaces, 'home'>,
  place: AddressPlace,
): Promise<{ readonly from: number; readonly to: number }> {
  const { migrateGateway } = await import('../../store/postgres/gateway-database.ts');
  return await migrateGateway(readDatabaseAddress(place, home, env));
}
