import type Database from 'better-sqlite3-multiple-ciphers';
import type { Approval } from '../used-approval.ts';

interface Use {
  readonly kind: 'order' | 'message' | 'mandate';
  readonly sub: string;
  readonly subjectId: string;
}

/** Uses an approval up; false where it was used before. To be called in the transaction that writes what it is used for. */
export function approvalUse(
  database: Database.Database,
): (approval: Approval, use: Use, now: number) => boolean {
  // An approval that was used before issuers were kept counts as any issuer's.
  const earlier = database.prepare<[string, string]>(
    `SELECT 1 FROM used_approvals WHERE jti = ? AND issuer IN (?, '')`,
  );
  const insert = database.prepare(`
    INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
    VALUES (@issuer, @jti, @sub, @kind, @subjectId, @now)`);
  return ({ issuer, jti }, { kind, sub, subjectId }, now) => {
    if (earlier.get(jti, issuer) !== undefined) return false;
    insert.run({ issuer, jti, sub, kind, subjectId, now });
    return true;
  };
}
