import type { Pool } from 'pg';
import { TradeAgentError } from '../../errors/errors.ts';
import { newerSchemaError, readSchemaVersion } from './migrate.ts';
import { openPool, type PoolOptions, transactionSettings } from './pool.ts';
import { appRole, type DatabaseSchema } from './schema.ts';
import { toDatabaseUnreachableError } from './store-unavailable.ts';
import { createTenantDatabase, type TenantDatabase, validateTenantName } from './tenant-database.ts';

/**
 * Maximum size of the pool whose commits don't wait for the disk. Heartbeats use it, because all connections of the
 * main pool may be waiting for a suspended process's locks.
 */
const MAX_UNSYNCED_CONNECTIONS = 5;

/** Maximum number of connections that bypass the pooler, per process. One of them listens for notifications. */
const MAX_DIRECT_CONNECTIONS = 2;

export interface OpenDatabaseOptions extends Pick<PoolOptions, 'address' | 'max'> {
  /** Address that bypasses the pooler, for notifications. If set, `address` is the address of a pooler (PgBouncer). */
  readonly direct?: string | undefined;
  readonly schema: DatabaseSchema;
  readonly tenant: string;
}

/**
 * Opens a database for one tenant. First checks that the schema's version is compatible, that row-level security
 * applies to the login, and that commits wait for the disk.
 * @throws {TradeAgentError} `invalid_config`, `database_unreachable`
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<TenantDatabase> {
  const { schema, tenant, direct, ...server } = options;
  validateTenantName(tenant);
  const isPooler = direct !== undefined;
  const about = { ...server, schema: schema.name, tenant, isPooler };
  const aboutUnsynced = { ...about, max: MAX_UNSYNCED_CONNECTIONS, synced: false };
  const synced = await openPool(about);
  const unsynced = await openPool(aboutUnsynced);
  const listening = isPooler
    ? await openPool({ ...about, address: direct, max: MAX_DIRECT_CONNECTIONS, isPooler: false })
    : synced;
  const settings = isPooler
    ? { synced: transactionSettings(about), unsynced: transactionSettings(aboutUnsynced) }
    : undefined;
  const database = createTenantDatabase(tenant, { synced, unsynced, listening, settings });
  try {
    await requireCompatible(listening, schema);
    return database;
  } catch (error) {
    await database.close();
    throw toDatabaseUnreachableError(error);
  }
}

async function requireCompatible(pool: Pool, { name, migrations }: DatabaseSchema): Promise<void> {
  const { version: found, contracted } = await readSchemaVersion(pool, name);
  const known = migrations.length;
  // Later migrations that only expanded the schema are compatible with this program.
  if (contracted > known) throw newerSchemaError(found, known);
  if (found < known) {
    throw new TradeAgentError('invalid_config', `the database has version ${found}, but this program needs ${known}`, {
      hint: 'Migrate the database with the login that owns the tables.',
    });
  }
  const { rows } = await pool.query<{ above: boolean; app: boolean; synced: string }>(
    `SELECT rolsuper OR rolbypassrls AS above, pg_has_role(current_user, $1, 'USAGE') AS app,
       current_setting('synchronous_commit') AS synced
     FROM pg_roles WHERE rolname = current_user`,
    [appRole(name)],
  );
  const [login] = rows;
  if (login === undefined || login.above || !login.app) {
    throw new TradeAgentError('invalid_config', 'row-level security does not apply to the database login', {
      hint: `Create a login that is not a superuser and has no BYPASSRLS: CREATE ROLE … LOGIN IN ROLE ${appRole(name)}.`,
    });
  }
  if (login.synced === 'off') {
    throw new TradeAgentError(
      'invalid_config',
      'the database does not wait until commits are on disk (synchronous_commit is off)',
      {
        hint: 'The record of a sent order could be lost. Set synchronous_commit to "on", or to the value that your replicas need.',
      },
    );
  }
}
