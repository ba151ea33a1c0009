import type { PgBoss, Queue } from 'pg-boss';
import {
  DEAD_JOB_RETENTION_SECONDS,
  expireInSeconds,
  HEARTBEAT_TIMEOUT_SECONDS,
  JOB_KINDS,
  type JobKind,
  RETRY_LIMIT,
  RETRY_SECONDS,
} from '../job-queue.ts';

/** Finished jobs are removed soon: the rows have the results. */
const DONE_JOB_RETENTION_SECONDS = 3600;
/** A job not started by then is useless, and can be recreated from the rows. */
const UNSTARTED_JOB_RETENTION_SECONDS = 14 * 24 * 3600;

/** Returns the name of a tenant's queue of a kind. The name makes its jobs the tenant's (`jobs-schema.ts`). */
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
    // `singleton` would let jobs of a key overtake each other.
    await ensure(queueName(tenant, kind), 'key_strict_fifo', {
      retryLimit: RETRY_LIMIT,
      retryBackoff: true,
      retryDelay: RETRY_SECONDS,
      heartbeatSeconds: HEARTBEAT_TIMEOUT_SECONDS,
      retentionSeconds: UNSTARTED_JOB_RETENTION_SECONDS,
      deleteAfterSeconds: DONE_JOB_RETENTION_SECONDS,
      expireInSeconds: expireInSeconds[kind],
      deadLetter: dead,
      notify: true,
    });
  }
}
