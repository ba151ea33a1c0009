import type { PgBoss, Queue } from 'pg-boss';
import { JOB_KINDS, type JobKind } from '../job-queue.ts';

/**
 * Number of retries. A job that failed three times is unlikely to succeed later, and the person who is waiting for its
 * result must be notified.
 */
export const RETRY_LIMIT = 2;
/** The first retry delay, in seconds; doubled each time. */
const FIRST_RETRY_DELAY_SECONDS = 1;
/** How long a worker may be silent before its jobs count as lost, in seconds. This is pg-boss's minimum. */
const HEARTBEAT_TIMEOUT_SECONDS = 10;
/** How long dead jobs are kept, in seconds, so that people can inspect them. */
const DEAD_JOB_RETENTION_SECONDS = 30 * 24 * 3600;
/** How long finished jobs are kept, in seconds. They are not needed longer, because their results are in the rows. */
const DONE_JOB_RETENTION_SECONDS = 3600;
/** How long jobs may wait to be started, in seconds. Older jobs are useless, and can be recreated from the rows. */
const UNSTARTED_JOB_RETENTION_SECONDS = 14 * 24 * 3600;

/**
 * Maximum duration of a job, in seconds. A run asks a language model many times; other jobs only ask a gateway or send
 * a message.
 */
const jobTimeLimitSeconds: Readonly<Record<JobKind, number>> = {
  run: 900,
  collect: 120,
  check: 300,
  notice: 120,
  reconcile: 120,
};

/**
 * Returns the name of a queue. It begins with the tenant, which determines who may access the jobs (`jobs-schema.ts`).
 */
export const queueName = (tenant: string, kind: JobKind | 'dead'): string => `${tenant}/${kind}`;

export async function ensureQueues(boss: PgBoss, tenant: string): Promise<void> {
  const ensure = async (
    name: string,
    policy: 'key_strict_fifo' | 'standard',
    options: Omit<Queue, 'name' | 'policy'>,
  ) => {
    await boss.createQueue(name, { ...options, policy });
    await boss.updateQueue(name, options);
  };
  const dead = queueName(tenant, 'dead');
  await ensure(dead, 'standard', { retentionSeconds: DEAD_JOB_RETENTION_SECONDS });
  for (const kind of JOB_KINDS) {
    // With `singleton`, jobs with the same key could overtake each other.
    await ensure(queueName(tenant, kind), 'key_strict_fifo', {
      retryLimit: RETRY_LIMIT,
      retryBackoff: true,
      retryDelay: FIRST_RETRY_DELAY_SECONDS,
      heartbeatSeconds: HEARTBEAT_TIMEOUT_SECONDS,
      retentionSeconds: UNSTARTED_JOB_RETENTION_SECONDS,
      deleteAfterSeconds: DONE_JOB_RETENTION_SECONDS,
      expireInSeconds: jobTimeLimitSeconds[kind],
      deadLetter: dead,
      notify: true,
    });
  }
}
