import type { Unit } from '../tenant-database.ts';

/** How what is written here has work done: a job of the same unit (`src/jobs/job-queue.ts`). */
export interface ScheduleJobs {
  enqueue(unit: Unit, job: ScheduleJob, options?: { readonly at?: number }): Promise<void>;
}

interface ScheduleJob {
  readonly kind: 'check' | 'notice' | 'reconcile';
  readonly key: string;
  readonly ids: Readonly<Partial<Record<'tenant' | 'person' | 'schedule' | 'notice' | 'proposal', string>>>;
}

/** What one person's jobs of a kind wait for each other by: two checks of one account at once would tell the same twice. */
export function jobOf(
  kind: ScheduleJob['kind'],
  tenant: string,
  person: string,
  ids: ScheduleJob['ids'],
): ScheduleJob {
  return { kind, key: `${tenant}|${person}`, ids: { tenant, person, ...ids } };
}
