import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolClient } from 'pg';
import { TradeAgentError } from '../../errors/errors.ts';
import type { BackfillStep, IndexStep, OnlineStep } from './schema.ts';

/** How long a change waits for a table's lock, in milliseconds. Requests for the table queue behind the change. */
const LOCK_TIMEOUT_MS = 500;
/** How long to wait for the lock that excludes autovacuum, in milliseconds. Requests don't queue behind this lock. */
const VACUUM_TIMEOUT_MS = 5_000;
/** Pause before the next attempt, in milliseconds, so that the requests that waited can continue. */
const RETRY_MS = 1_000;
const MAX_ATTEMPTS = 100;
/** Maximum number of rows that a backfill updates at once. A request that changes one of them has to wait. */
const BATCH_ROWS = 500;
/** Number of a table's blocks (usually 8 KB each) that a batch searches for rows. */
const BATCH_BLOCKS = 256;

/** PostgreSQL's error codes for a lock that was not available in time, and for a deadlock. */
const LOCK_CODES = ['55P03', '40P01'];

/**
 * Locks the schema's tables against autovacuum. PostgreSQL cancels a running autovacuum after a second
 * (`deadlock_timeout`). Without this lock, a change would wait for autovacuum, and requests would wait for the change.
 */
const LOCK_OUT_VACUUM = `
  DO $$ DECLARE name regclass; BEGIN
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema()) LOOP
      EXECUTE format('LOCK TABLE %s IN SHARE UPDATE EXCLUSIVE MODE', name);
    END LOOP;
  END $$`;

/**
 * Runs SQL in one transaction. If a table can't be locked in time, tries again later, so that requests don't wait
 * behind this transaction for long.
 * @throws {TradeAgentError} `busy` if the table can't be locked on any attempt; otherwise the database's own error
 */
export async function runInBriefTransaction(client: PoolClient, sql: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(
        `BEGIN; SET LOCAL lock_timeout = ${VACUUM_TIMEOUT_MS}; ${LOCK_OUT_VACUUM};
         SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}; ${sql}; COMMIT`,
      );
      return;
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (typeof code !== 'string' || !LOCK_CODES.includes(code)) throw error;
      await client.query('ROLLBACK');
      if (attempt === MAX_ATTEMPTS) {
        throw new TradeAgentError('busy', 'a table could not be locked, because long transactions use it', {
          hint: 'Wait until these transactions, such as a backup, have ended (see pg_stat_activity), then run this again.',
          cause: error,
        });
      }
    }
    await sleep(RETRY_MS);
  }
}

/** Runs a step outside a transaction. */
export async function runOnlineStep(client: PoolClient, step: OnlineStep): Promise<void> {
  if ('index' in step) await createIndex(client, step);
  else if ('table' in step) await backfill(client, step);
  else await client.query(step.statement);
}

async function createIndex(client: PoolClient, { index, on, unique = false }: IndexStep): Promise<void> {
  // An interrupted attempt leaves an index that each change still updates, but that no query uses.
  const { rows: invalid } = await client.query(
    'SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid',
    [index],
  );
  if (invalid.length > 0) await client.query(`DROP INDEX CONCURRENTLY IF EXISTS ${index}`);
  await client.query(`CREATE ${unique ? 'UNIQUE ' : ''}INDEX CONCURRENTLY IF NOT EXISTS ${index} ON ${on}`);
}

/** Updates all tenants' rows. Meanwhile, row security does not apply to the owner, but no program runs as the owner. */
async function backfill(client: PoolClient, step: BackfillStep): Promise<void> {
  await runInBriefTransaction(client, `ALTER TABLE ${step.table} NO FORCE ROW LEVEL SECURITY`);
  try {
    for (let pass = 1; await hasMatchingRow(client, step); pass++) {
      if (pass > MAX_ATTEMPTS) {
        throw new TradeAgentError(
          'busy',
          `rows of ${step.table} that must be updated are still being written or locked`,
          {
            hint: 'Replace the programs that still write such rows, then run this again.',
          },
        );
      }
      // Rows that a request had locked, or that it wrote elsewhere in the table, remain for the next pass.
      if (pass > 1) await sleep(RETRY_MS);
      await updateInBatches(client, step);
    }
  } finally {
    await runInBriefTransaction(client, `ALTER TABLE ${step.table} FORCE ROW LEVEL SECURITY`);
  }
}

async function hasMatchingRow(client: PoolClient, { table, where }: BackfillStep): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM ${table} WHERE ${where}) AS found`,
  );
  return rows[0]?.found === true;
}

/** Goes once through the table, block by block. Never waits for a row, so that it can't deadlock with a request. */
async function updateInBatches(client: PoolClient, { table, set, where }: BackfillStep): Promise<void> {
  const { rows } = await client.query<{ blocks: number }>(
    "SELECT pg_relation_size($1::regclass) / current_setting('block_size')::bigint AS blocks",
    [table],
  );
  const end = rows[0]?.blocks ?? 0;
  for (let block = 0; block < end; ) {
    const { rowCount } = await client.query(
      `WITH batch AS (
         SELECT ctid AS batch_row FROM ${table} WHERE ctid >= $1::tid AND ctid < $2::tid AND (${where})
         LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED
       )
       UPDATE ${table} SET ${set} FROM batch WHERE ${table}.ctid = batch_row`,
      [`(${block},0)`, `(${block + BATCH_BLOCKS},0)`],
    );
    if (rowCount !== BATCH_ROWS) block += BATCH_BLOCKS;
  }
}
