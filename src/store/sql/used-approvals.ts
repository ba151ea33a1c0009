import type { ApprovalId } from '../used-approval.ts';
import { run, type Work } from './sql-database.ts';

interface ApprovalUse {
  readonly kind: 'order' | 'message' | 'mandate';
  readonly sub: string;
  readonly subjectId: string;
}

/**
 * Uses an approval, in the transaction that writes what was approved. Returns false if the approval was already used.
 */
export function* consumeApproval(
  { issuer, jti }: ApprovalId,
  { kind, sub, subjectId }: ApprovalUse,
  now: number,
): Work<boolean> {
  // With two concurrent uses, the second waits for the outcome of the first.
  const written = yield* run(
    `INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
     VALUES (@issuer, @jti, @sub, @kind, @subjectId, @now) ON CONFLICT DO NOTHING`,
    { issuer, jti, sub, kind, subjectId, now },
  );
  return written === 1;
}
