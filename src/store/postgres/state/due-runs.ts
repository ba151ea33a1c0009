import type { DueRun, DueRuns } from '../../run-store.ts';
import type { TenantDatabase } from '../tenant-database.ts';

/** Finds the due runs of all users of a tenant. Reads only the IDs of users and runs. */
export function postgresDueRuns(database: Pick<TenantDatabase, 'write'>): DueRuns {
  return {
    claim: (now, again, limit) =>
      database.write((unit) =>
        unit.last.all<DueRun>(
          `UPDATE run_due SET at = @again FROM (
             SELECT person, run FROM run_due WHERE at <= @now ORDER BY at LIMIT @limit FOR UPDATE SKIP LOCKED
           ) AS due
           WHERE run_due.person = due.person AND run_due.run = due.run RETURNING run_due.person, run_due.run`,
          { now, again, limit },
        ),
      ),
  };
}
