import type { Approval } from '../used-approval.ts';
import type { Unit } from './tenant-database.ts';

interface Use {
  readonly kind: 'order' | 'message' | 'mandate';
  readonly sub: string;
  readonly subjectId: string;
}

/** Uses an approval up; false where it was used before. In the unit of work that writes what it is used for. */
export async function spendApproval(
  unit: Unit,
  { issuer, jti }: Approval,
  { kind, sub, subjectId }: Use,
  now: number,
): Promise<boolean> {
  // Of two at once the second waits for what becomes of the first.
  const written = await unit.run(
    `INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
     VALUES (@issuer, @jti, @sub, @kind, @subjectId, @now) ON CONFLICT (tenant, issuer, jti) DO NOTHING`,
    { issuer, jti, sub, kind, subjectId, now },
  );
  return written === 1;
}
