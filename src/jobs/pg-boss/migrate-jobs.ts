import { setTimeout as sleep } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';
import { openPool } from '../../store/postgres/pool.ts';
import { JOBS_SCHEMA, JOBS_SCHEMA_ADDITIONS } from './jobs-schema.ts';
import { startPgBoss } from './open-boss.ts';

const INDEX_CHECK_INTERVAL_MS = 200;

/**
 * Creates or migrates the job tables. Idempotent, and safe to run concurrently. Requires `migrate(address,
 * stateSchema)` to have run, because it uses the roles created there.
 * @param address connection string of the role that owns the tables
 */
export async function migrateJobs(address: string): Promise<void> {
  const pool = await openPool({ address, schema: JOBS_SCHEMA, max: 3, statementTimeoutMs: 0 });
  let problem: unknown;
  try {
    const boss = await startPgBoss(pool, {
      migrate: true,
      heard: (error) => {
        problem = error;
      },
    });
    try {
      await waitForIndexes(boss);
    } finally {
      await boss.stop({ close: false, graceful: false });
    }
    if (problem !== undefined) throw problem;
    // Takes a lock, because concurrent changes of the same catalog rows would fail.
    await pool.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('trade-agent ${JOBS_SCHEMA}', 0)); ${JOBS_SCHEMA_ADDITIONS}`,
    );
  } finally {
    await pool.end();
  }
}

/** Waits for the indexes that newer pg-boss versions build in the background. @throws {Error} if an index fails */
async function waitForIndexes(boss: PgBoss): Promise<void> {
  for (;;) {
    const status = await boss.getBamStatus();
    const failed = status.find((one) => one.status === 'failed');
    if (failed !== undefined) throw new Error('an index on the job tables could not be built');
    if (status.every((one) => one.status === 'completed')) return;
    await sleep(INDEX_CHECK_INTERVAL_MS);
  }
}
