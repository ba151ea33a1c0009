import type { Approval } from '../used-approval.ts';
import type { Unit } from './tenant-database.ts';

interface Use {
  readonly kind: 'order' | 'message' | 'mandate';
  readonly sub: string;
  readonly subjectId: string;
}

/**
 * Uses an approval up, and has a row where it was not used before. In the unit of work that writes what it is used for.
 * @param kind and `subjectId`, as SQL
 * @param where under which condition besides
 */
export const spending = (kind: string, subjectId: string, where = '') =>
  // Of two at once the second waits for what becomes of the first.
  `INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
   SELECT @issuer, @jti, @sub, ${kind}, ${subjectId}, @now ${where}
   ON CONFLICT (tenant, issuer, jti) DO NOTHING RETURNING used_at`;

const SPEND = spending('@kind', '@subjectId');

/** False where it was used before. */
export async function spendApproval(
  unit: Unit,
  { issuer, jti }: Approval,
  { kind, sub, subjectId }: Use,
  now: number,
): Promise<boolean> {
  return (await unit.run(SPEND, { issuer, jti, sub, kind, subjectId, now })) === 1;
}
