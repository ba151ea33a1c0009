import type { Unit } from '../tenant-database.ts';

/** How what is written here has work done: a job of the same unit (`src/jobs/job-queue.ts`). */
export interface ScheduleJobs {
  enqueue(unit: Unit, job: ScheduleJob, options?: { readonly at?: number }): Promise<void>;
  /** Several at once, where an engine takes them so. */
  enqueueAll?(unit: Unit, jobs: readonly ScheduleJob[]): Promise<void>;
}

/** In one statement, where the engine can. */
export async function enqueueAll(jobs: ScheduleJobs, unit: Unit, all: readonly ScheduleJob[]): Promise<void> {
  if (jobs.enqueueAll !== undefined) return await jobs.enqueueAll(unit, all);
  for (const job of all) await jobs.enqueue(unit, job);
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
