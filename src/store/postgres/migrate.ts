import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool, PoolClient } from 'pg';
import { TradeAgentError } from '../../errors/errors.ts';
import { runInBriefTransaction, runOnlineStep } from './migration-steps.ts';
import { openPool } from './pool.ts';
import type { DatabaseSchema, Migration } from './schema.ts';
import { toDatabaseUnreachableError } from './store-unavailable.ts';

/** Interval and maximum duration of the attempts to get the lock for migrating the schema, in milliseconds. */
const [TURN_INTERVAL_MS, MAX_TURN_WAIT_MS] = [200, 600_000];

export interface MigrationResult {
  readonly from: number;
  readonly to: number;
}

/**
 * Migrates a database to the latest version while programs use it. If it is interrupted, run it again: it continues with
 * the migration that was not completed. Other processes that migrate the same schema wait.
 * @param address connection string of the role that owns the tables; the first time, it must be allowed to create roles
 * @throws {TradeAgentError} `invalid_config` if a newer version of trade-agent has migrated the database; `busy` if
 * another process migrates it or long transactions lock its tables; `database_unreachable`
 */
export async function migrateSchema(address: string, { name, migrations }: DatabaseSchema): Promise<MigrationResult> {
  const pool = await openPool({ address, schema: name, max: 1, statementTimeoutMs: 0 });
  const client = await pool.connect().catch(async (cause: unknown) => {
    await pool.end();
    throw toDatabaseUnreachableError(cause);
  });
  try {
    // Disables the timeout, because CREATE INDEX CONCURRENTLY waits until older transactions end, but blocks nobody.
    await client.query('SET lock_timeout = 0');
    // Makes the server notice during a long statement if this process is killed. A server on Windows can't do that.
    await client.query('SET client_connection_check_interval = 1000').catch(() => undefined);
    await waitForTurn(client, name);
    const { version: from } = await readSchemaVersion(client, name);
    if (from > migrations.length) throw newerSchemaError(from, migrations.length);
    for (const [index, migration] of migrations.entries()) {
      if (index >= from) await runMigration(client, { name, migration, version: index + 1 });
    }
    return { from, to: migrations.length };
  } finally {
    // Closes the connection. If something failed, this rolls back the open transaction.
    client.release(true);
    await pool.end();
  }
}

/**
 * Takes an advisory lock that lasts until the connection ends, because before the first version, there is no table to
 * lock. Polls for the lock, because another process's CREATE INDEX CONCURRENTLY would wait for a statement that waits
 * for the lock.
 */
async function waitForTurn(client: PoolClient, name: string): Promise<void> {
  for (const until = performance.now() + MAX_TURN_WAIT_MS; ; await sleep(TURN_INTERVAL_MS)) {
    const { rows } = await client.query<{ ours: boolean }>(
      "SELECT pg_try_advisory_lock(hashtextextended('trade-agent ' || $1, 0)) AS ours",
      [name],
    );
    if (rows[0]?.ours === true) return;
    if (performance.now() > until) {
      throw new TradeAgentError('busy', 'another process is still migrating the database', {
        hint: 'Wait until it has ended, then run this again.',
      });
    }
  }
}

async function runMigration(
  client: PoolClient,
  { name, migration, version }: { readonly name: string; readonly migration: Migration; readonly version: number },
): Promise<void> {
  if (typeof migration === 'object' && 'steps' in migration) {
    for (const step of migration.steps) await runOnlineStep(client, step);
    await client.query('INSERT INTO schema_version (version) VALUES ($1)', [version]);
    return;
  }
  const isContract = typeof migration === 'object';
  const first = `
    SET LOCAL client_min_messages = warning;
    CREATE SCHEMA IF NOT EXISTS ${name};
    CREATE TABLE schema_version (
      version integer PRIMARY KEY,
      contract boolean NOT NULL DEFAULT false,
      applied_at timestamptz NOT NULL DEFAULT now()
    );`;
  await runInBriefTransaction(
    client,
    `${version === 1 ? first : ''}
     ${isContract ? migration.contract : migration};
     INSERT INTO schema_version (version, contract) VALUES (${version}, ${isContract})`,
  );
}

/** Reads a schema's version and the version of the last migration that removed something, or 0 before the first one. */
export async function readSchemaVersion(
  database: Pick<Pool | PoolClient, 'query'>,
  schema: string,
): Promise<{ readonly version: number; readonly contracted: number }> {
  const { rows: tables } = await database.query('SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = $2', [
    schema,
    'schema_version',
  ]);
  if (tables.length === 0) return { version: 0, contracted: 0 };
  const { rows } = await database.query<{ version: number; contracted: number }>(
    `SELECT coalesce(max(version), 0) AS version, coalesce(max(version) FILTER (WHERE contract), 0) AS contracted
     FROM schema_version`,
  );
  return rows[0] ?? { version: 0, contracted: 0 };
}

export function newerSchemaError(found: number, known: number): TradeAgentError {
  return new TradeAgentError(
    'invalid_config',
    `the database has version ${found}, but this program supports at most ${known}`,
    { hint: 'Use the newer version of trade-agent that migrated the database.' },
  );
}
