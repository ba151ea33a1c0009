import type { Pool } from 'pg';
import type { JobAttempt, PgBoss } from 'pg-boss';
import { JOBS_SCHEMA } from './jobs-schema.ts';
import { RETRY_LIMIT } from './queues.ts';

/** A fetched job. Its attempt number tells the database whether this process may still report the job's outcome. */
export interface ClaimedJob extends JobAttempt {
  readonly data: unknown;
  readonly expireInSeconds: number;
}

const TABLE = `${JOBS_SCHEMA}.job_common`;

export function createJobClaims(boss: PgBoss, pool: Pool, queue: string) {
  const isMine = async (claim: ClaimedJob) => {
    const { rowCount } = await pool.query(
      `SELECT FROM ${TABLE} WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3`,
      [queue, claim.id, claim.retryCount],
    );
    return rowCount === 1;
  };
  return {
    fetch: (most: number): Promise<readonly ClaimedJob[]> => boss.fetch(queue, { batchSize: most }),
    /** Sends heartbeats for the claimed jobs. @returns the jobs that this process has lost */
    async renew(claims: readonly ClaimedJob[]): Promise<readonly ClaimedJob[]> {
      const { affected } = (await boss.touch(queue, [...claims])) as { affected: number };
      if (affected === claims.length) return [];
      const mine = await Promise.all(claims.map(isMine));
      return claims.filter((_, index) => mine[index] !== true);
    },
    done: async (claim: ClaimedJob): Promise<void> => void (await boss.complete(queue, claim)),
    /** Schedules a retry, or marks the job as dead. @param code the error's code; never its message */
    async failed(claim: ClaimedJob, code: string): Promise<void> {
      await boss.fail(queue, claim, { code });
      if (claim.retryCount >= RETRY_LIMIT) await removeDeadJobs(pool);
    },
    /** Gives the job back as if it had not been fetched, so that another worker can do it immediately. */
    async giveBack({ id, retryCount }: ClaimedJob): Promise<void> {
      // `boss.fail` would count this as an attempt, and delay the next attempt.
      await pool.query(
        `UPDATE ${TABLE} SET state = CASE retry_count WHEN 0 THEN 'created' ELSE 'retry' END::${JOBS_SCHEMA}.job_state,
           started_on = NULL, heartbeat_on = NULL, start_after = now()
         WHERE name = $1 AND id = $2 AND state = 'active' AND retry_count = $3`,
        [queue, id, retryCount],
      );
    },
  };
}

export type JobClaims = ReturnType<typeof createJobClaims>;

/**
 * Removes the tenant's dead jobs, which would block their keys. Their dead letters were already written by the
 * statement that marked them as failed.
 */
export async function removeDeadJobs(pool: Pool): Promise<void> {
  await pool.query(`DELETE FROM ${TABLE} WHERE state = 'failed' AND policy = 'key_strict_fifo'`);
}
