import { TradeAgentError } from '../../errors/errors.ts';
import type { GatewaySecrets } from '../../gateway/gateway-settings.ts';
import type { DatabaseSettings } from '../../gateway/settings/common-settings.ts';
import type { GatewayStores } from '../../store/gateway-stores.ts';
import { prepareHomeDatabase } from '../../store/home/schema.ts';
import type { ServedAddress } from '../../store/home/served-address.ts';
import type { SqlTransactions } from '../../store/sql/sql-database.ts';
import { createSqliteTransactions } from '../../store/sqlite/sql-database.ts';
import { openGatewayDatabase, readDatabasePlace } from '../gateway/gateway-database.ts';
import type { StorageSettings } from '../gateway/settings-file.ts';
import { DATABASE_WAIT_MS, homeFilePaths } from './home-files.ts';

/** All of a home's data and keys, in its folder or, if gateway.yaml has a `database`, in PostgreSQL. */
export interface HomeDatabase {
  /** The tables of the identity provider, of people and of their phones. */
  readonly home: SqlTransactions;
  readonly stores: GatewayStores;
  readonly secrets: GatewaySecrets;
  /** Undefined for a home in its folder, which only one process serves. */
  readonly served: ServedAddress | undefined;
  close(): Promise<void>;
}

export function movedHomeError(address: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `this home has moved to ${address}`, {
    hint: `Stop it on this machine too, then run "trade-agent home address set ${address}" here.`,
    details: { address },
  });
}

/**
 * Opens a home's databases and keys. The home may be running.
 * @throws {TradeAgentError} `invalid_config`, including if a move of the home was interrupted; `database_unreachable`;
 *   `credential_store_…` if the key management service fails
 */
export async function openHomeDatabase(
  settings: StorageSettings,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<HomeDatabase> {
  const gateway = await openGatewayDatabase(settings, folder, env);
  try {
    const home = await openHomeTables(settings.database, folder, env);
    return {
      ...gateway,
      home: home.sql,
      served: home.served,
      close: async () => {
        await home.close();
        await gateway.close();
      },
    };
  } catch (error) {
    await gateway.close();
    throw error;
  }
}

async function openHomeTables(settings: DatabaseSettings | undefined, folder: string, env: NodeJS.ProcessEnv) {
  if (settings !== undefined) {
    const { openPostgresHome } = await import('../../store/postgres/home-database.ts');
    return await openPostgresHome(readDatabasePlace(settings, folder, env));
  }
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  const database = new Database(homeFilePaths(folder).providerDatabase, { timeout: DATABASE_WAIT_MS });
  return {
    sql: createSqliteTransactions(prepareHomeDatabase(database)),
    served: undefined,
    close: async () => void database.close(),
  };
}
