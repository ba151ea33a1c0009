import type { GatewayKeyRows, WrappedGatewayKey } from '../gateway-key-rows.ts';
import type { RegistrationStorage } from '../registration-storage.ts';
import { redateOrders } from '../sql/order-recount.ts';
import { type MigrationResult, migrateSchema } from './migrate.ts';
import { gatewaySchema } from './migrations/gateway.ts';
import { type OpenDatabaseOptions, openDatabase } from './open-database.ts';
import { postgresTransactions } from './sql-database.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

/*
 * Everything that a program needs to run a gateway on PostgreSQL. It is one module, so that the module and the driver
 * are loaded only if PostgreSQL is used.
 */

export { postgresGatewayStores } from './gateway-stores.ts';

export const recountTenantOrders = (database: TenantDatabase, now: number) =>
  redateOrders(postgresTransactions(database, 'place'), now);

export function openPostgresGatewayDatabase(options: Omit<OpenDatabaseOptions, 'schema'>): Promise<TenantDatabase> {
  return openDatabase({ ...options, schema: gatewaySchema });
}

/** @param address connection string of the role that owns the tables */
export function migrateGatewayDatabase(address: string): Promise<MigrationResult> {
  return migrateSchema(address, gatewaySchema);
}

/**
 * Creates the storage for a client registration. A tenant's gateways share the registration, because only the client
 * that sent a CIBA request can poll for its result.
 */
export function postgresRegistrationStorage(database: TenantDatabase): RegistrationStorage {
  return {
    async read() {
      const row = await database.read((unit) =>
        unit.last.one<{ registration: string }>('SELECT registration FROM registered_clients'),
      );
      return row?.registration;
    },
    async write(read, text) {
      const written = await database.write((unit) =>
        read === undefined
          ? unit.run('INSERT INTO registered_clients (registration) VALUES (@text) ON CONFLICT DO NOTHING', {
              text,
            })
          : unit.run('UPDATE registered_clients SET registration = @text WHERE registration = @read', {
              text,
              read,
            }),
      );
      return written === 1;
    },
  };
}

/**
 * Returns whether this gateway seals with the same key as the tenant's other gateways. The first gateway stores
 * `check`, and later gateways compare their own value with it.
 * @param check a value derived from the key that does not reveal the key
 */
export async function claimOrMatchSealKey(database: TenantDatabase, check: string): Promise<boolean> {
  return await database.write((unit) => claimOrMatchSealCheck(unit, check));
}

/** Stores the first value, or compares with it. Other gateways can't store a value until the transaction ends. */
async function claimOrMatchSealCheck(unit: Transaction, check: string): Promise<boolean> {
  await unit.run('INSERT INTO seal_checks (seal_check) VALUES (@check) ON CONFLICT DO NOTHING', { check });
  const row = await unit.one<{ seal_check: string }>('SELECT seal_check FROM seal_checks');
  return row?.seal_check === check;
}

class Rollback extends Error {}

/** @param database a database with `gatewaySchema` */
export function postgresGatewayKeyRows(database: TenantDatabase): GatewayKeyRows {
  const whole = async (work: (unit: Transaction) => Promise<void>): Promise<boolean> => {
    try {
      await database.write(work);
      return true;
    } catch (error) {
      if (error instanceof Rollback) return false;
      throw error;
    }
  };
  return {
    all: () =>
      database.read((unit) =>
        unit.last.all<WrappedGatewayKey>('SELECT name, version, wrapped FROM gateway_keys ORDER BY name, version DESC'),
      ),
    replace: (removed, added) =>
      whole(async (unit) => {
        for (const row of removed) await deleteKey(unit, row);
        for (const row of added) await insertKey(unit, row);
      }),
    addFirstSeal: (seal, check) =>
      whole(async (unit) => {
        if (!(await claimOrMatchSealCheck(unit, check))) throw new Rollback();
        await insertKey(unit, seal);
      }),
  };
}

async function insertKey(unit: Transaction, { name, version, wrapped }: WrappedGatewayKey): Promise<void> {
  const added = await unit.run(
    'INSERT INTO gateway_keys (name, version, wrapped) VALUES (@name, @version, @wrapped) ON CONFLICT DO NOTHING',
    { name, version, wrapped },
  );
  if (added !== 1) throw new Rollback();
}

async function deleteKey(unit: Transaction, { name, version, wrapped }: WrappedGatewayKey): Promise<void> {
  const removed = await unit.run(
    'DELETE FROM gateway_keys WHERE name = @name AND version = @version AND wrapped = @wrapped',
    { name, version, wrapped },
  );
  if (removed !== 1) throw new Rollback();
}
