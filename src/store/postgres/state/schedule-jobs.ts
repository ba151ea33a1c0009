import type { Transaction } from '../tenant-database.ts';

/** Enqueues jobs (`src/jobs/job-queue.ts`) in the transaction that needs them. */
export interface ScheduleJobs {
  enqueue(unit: Transaction, job: ScheduleJob, options?: { readonly at?: number }): Promise<void>;
  /** Enqueues several jobs, with one statement for each kind. */
  enqueueAll(unit: Transaction, jobs: readonly ScheduleJob[]): Promise<void>;
}

interface ScheduleJob {
  readonly kind: 'check' | 'notice' | 'reconcile';
  readonly key: string;
  readonly ids: Readonly<Partial<Record<'tenant' | 'person' | 'schedule' | 'notice' | 'proposal', string>>>;
}

/**
 * Creates a job. Its key makes a person's jobs of the same kind run one after the other, because two simultaneous
 * checks would send the same notice twice.
 */
export function createScheduleJob(
  kind: ScheduleJob['kind'],
  tenant: string,
  person: string,
  ids: ScheduleJob['ids'],
): ScheduleJob {
  return { kind, key: `${tenant}|${person}`, ids: { tenant, person, ...ids } };
}
