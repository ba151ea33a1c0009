import { setTimeout as sleep } from 'node:timers/promises';
import type { PgBoss } from 'pg-boss';
import { openPool } from '../../store/postgres/pool.ts';
import { ADDITIONS, JOBS_SCHEMA } from './jobs-schema.ts';
import { openBoss } from './open-boss.ts';

/** Between two looks at whether an index is built, milliseconds. */
const LOOK_MS = 200;

/**
 * Makes the tables of jobs, or brings them up to date; by one process at a time, and as often as one likes. After
 * `migrate(address, stateSchema)`, whose roles and tenant they go by.
 * @param address of the login that owns the tables
 */
export async function migrateJobs(address: string): Promise<void> {
  const pool = await openPool({ address, schema: JOBS_SCHEMA, max: 3 });
  let problem: unknown;
  try {
    const boss = await openBoss(pool, {
      migrate: true,
      heard: (error) => {
        problem = error;
      },
    });
    try {
      await untilBuilt(boss);
    } finally {
      await boss.stop({ close: false, graceful: false });
    }
    if (problem !== undefined) throw problem;
    // Of two at once the second waits for the first: the same rows of PostgreSQL's own catalogue are not changed by both.
    await pool.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('trade-agent ${JOBS_SCHEMA}', 0)); ${ADDITIONS}`,
    );
  } finally {
    await pool.end();
  }
}

/** Its newer versions build indexes beside what goes on. @throws {Error} for one that can't be built */
async function untilBuilt(boss: PgBoss): Promise<void> {
  for (;;) {
    const status = await boss.getBamStatus();
    const failed = status.find((one) => one.status === 'failed');
    if (failed !== undefined) throw new Error('an index of the jobs’ tables could not be built');
    if (status.every((one) => one.status === 'completed')) return;
    await sleep(LOOK_MS);
  }
}
