import { TradeAgentError } from '../../errors/errors.ts';
import { openPool } from './pool.ts';
import type { DatabaseSchema } from './schema.ts';
import { toDatabaseUnreachableError } from './store-unavailable.ts';

export interface MigrationResult {
  readonly from: number;
  readonly to: number;
}

/**
 * Migrates a database to the latest version in one transaction. Other processes that migrate the same schema wait.
 * @param address connection string of the role that owns the tables; the first time, it must be allowed to create roles
 * @throws {TradeAgentError} `invalid_config` if a newer version of trade-agent has migrated the database;
 * `database_unreachable`
 */
export async function migrateSchema(address: string, { name, migrations }: DatabaseSchema): Promise<MigrationResult> {
  const pool = await openPool({ address, schema: name, max: 1 });
  const client = await pool.connect().catch(async (cause: unknown) => {
    await pool.end();
    throw toDatabaseUnreachableError(cause);
  });
  try {
    await client.query('BEGIN');
    // Uses an advisory lock, because before the first version, there is no table to lock.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('trade-agent ' || $1, 0))", [name]);
    await client.query(`
      SET LOCAL client_min_messages = warning;
      CREATE SCHEMA IF NOT EXISTS ${name};
      CREATE TABLE IF NOT EXISTS schema_version (
        version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now()
      )`);
    const { rows } = await client.query<{ version: number }>(
      'SELECT coalesce(max(version), 0) AS version FROM schema_version',
    );
    const from = rows[0]?.version ?? 0;
    if (from > migrations.length) throw newerSchemaError(from, migrations.length);
    for (const [index, migration] of migrations.entries()) {
      if (index < from) continue;
      await client.query(migration);
      await client.query('INSERT INTO schema_version (version) VALUES ($1)', [index + 1]);
    }
    await client.query('COMMIT');
    return { from, to: migrations.length };
  } finally {
    // Closes the connection. If something failed, this rolls back the open transaction.
    client.release(true);
    await pool.end();
  }
}

export function newerSchemaError(found: number, known: number): TradeAgentError {
  return new TradeAgentError(
    'invalid_config',
    `the database has version ${found}, but this program supports at most ${known}`,
    { hint: 'Use the newer version of trade-agent that migrated the database.' },
  );
}
