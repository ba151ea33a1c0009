import type { Approval } from '../used-approval.ts';
import { run, type Work } from './sql-database.ts';

interface Use {
  readonly kind: 'order' | 'message' | 'mandate';
  readonly sub: string;
  readonly subjectId: string;
}

/** Uses an approval up, in the unit of work that writes what it is used for; false if it was used before. */
export function* spendApproval(
  { issuer, jti }: Approval,
  { kind, sub, subjectId }: Use,
  now: number,
): Work<boolean> {
  // Of two at once the second waits for the outcome of the first.
  const written = yield* run(
    `INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
     VALUES (@issuer, @jti, @sub, @kind, @subjectId, @now) ON CONFLICT DO NOTHING`,
    { issuer, jti, sub, kind, subjectId, now },
  );
  return written === 1;
}
