import type { TenantDatabase } from '../../store/postgres/tenant-database.ts';
import { MAX_COUNTED } from '../../store/sql/sql-database.ts';
import { JOB_KINDS, type JobKind } from '../job-queue.ts';
import { JOBS_SCHEMA } from './jobs-schema.ts';
import { queueName } from './queues.ts';

export interface JobCounts {
  readonly kind: JobKind;
  readonly waiting: number;
  /** How long the oldest waiting job has been due, in seconds; 0 if no jobs are waiting. */
  readonly oldest: number;
  readonly running: number;
}

type Row = Omit<JobCounts, 'kind'> & { readonly name: string };

/** Returns the counts of a tenant's jobs, each at most `MAX_COUNTED`, for monitoring. Does not scan finished jobs. */
export async function countJobs(
  database: Pick<TenantDatabase, 'tenant' | 'read'>,
): Promise<{ readonly jobs: readonly JobCounts[]; readonly dead: number }> {
  const { tenant } = database;
  const dead = queueName(tenant, 'dead');
  const rows = await database.read((unit) =>
    unit.all<Row>(
      `SELECT queue.name, due.*, active.* FROM unnest(@names::text[]) AS queue (name),
         LATERAL (
           SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(created_on)), 0)::float8 AS oldest FROM (
             SELECT created_on FROM ${JOBS_SCHEMA}.job_common AS job
             WHERE job.name = queue.name AND state < 'active' AND start_after <= now()
             ORDER BY start_after LIMIT ${MAX_COUNTED}) AS counted) AS due,
         LATERAL (
           SELECT count(*) AS running FROM (
             SELECT FROM ${JOBS_SCHEMA}.job_common AS job WHERE job.name = queue.name AND state = 'active'
             LIMIT ${MAX_COUNTED}) AS counted) AS active`,
      { names: [...JOB_KINDS.map((kind) => queueName(tenant, kind)), dead] },
    ),
  );
  const of = (name: string) => rows.find((row) => row.name === name);
  return {
    jobs: JOB_KINDS.map((kind) => {
      const { waiting = 0, oldest = 0, running = 0 } = of(queueName(tenant, kind)) ?? {};
      return { kind, waiting, oldest, running };
    }),
    dead: of(dead)?.waiting ?? 0,
  };
}
