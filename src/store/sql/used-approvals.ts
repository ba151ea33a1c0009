import type { ApprovalId } from '../used-approval.ts';
import { run, type TransactionWork } from './sql-database.ts';

interface ApprovalUse {
  readonly kind: 'order' | 'message' | 'mandate';
  readonly sub: string;
  readonly subjectId: string;
}

/** Consumes an approval in the transaction that writes what was approved. Returns false if it was already used. */
export function* consumeApproval(
  { issuer, jti }: ApprovalId,
  { kind, sub, subjectId }: ApprovalUse,
  now: number,
): TransactionWork<boolean> {
  // If two transactions use the approval at the same time, the second waits for the first to end.
  const written = yield* run(
    `INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
     VALUES (@issuer, @jti, @sub, @kind, @subjectId, @now) ON CONFLICT DO NOTHING`,
    { issuer, jti, sub, kind, subjectId, now },
  );
  return written === 1;
}
