import type { Unit } from '../tenant-database.ts';

/** Enqueues jobs in the transaction that needs them (`src/jobs/job-queue.ts`). */
export interface ScheduleJobs {
  enqueue(unit: Unit, job: ScheduleJob, options?: { readonly at?: number }): Promise<void>;
  /** Enqueues several jobs at once, if the engine supports it. */
  enqueueAll?(unit: Unit, jobs: readonly ScheduleJob[]): Promise<void>;
}

/** Enqueues jobs, in one statement if the engine supports it. */
export async function enqueueAll(jobs: ScheduleJobs, unit: Unit, all: readonly ScheduleJob[]): Promise<void> {
  if (jobs.enqueueAll !== undefined) return await jobs.enqueueAll(unit, all);
  for (const job of all) await jobs.enqueue(unit, job);
}

interface ScheduleJob {
  readonly kind: 'check' | 'notice' | 'reconcile';
  readonly key: string;
  readonly ids: Readonly<Partial<Record<'tenant' | 'person' | 'schedule' | 'notice' | 'proposal', string>>>;
}

/** Creates a job whose key serializes one person's jobs of a kind. Two concurrent checks would send the same notice twice. */
export function createJob(
  kind: ScheduleJob['kind'],
  tenant: string,
  person: string,
  ids: ScheduleJob['ids'],
): ScheduleJob {
  return { kind, key: `${tenant}|${person}`, ids: { tenant, person, ...ids } };
}
