import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { DecisionStore, NewPolicyDecision, StoredPolicyDecision } from '../decision-store.ts';
import { all, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

/** Maximum number of denials, and of permits, kept per person. Enough for years, and at most tens of megabytes. */
const MAX_STORED_DECISIONS = 10_000;

/**
 * Number of new decisions after which old decisions are deleted. Deletions are rare, because finding old decisions
 * requires a scan of all stored decisions.
 */
const DELETE_EVERY = 100;

export const DECISION_RETENTION = { most: MAX_STORED_DECISIONS, every: DELETE_EVERY };

export function createDecisionStore(database: SqlTransactions, kept = DECISION_RETENTION): DecisionStore {
  return {
    note: (note, now) => database.write(() => storeDecision(note, now, kept)),
    async about(sub, subjectId) {
      const rows = await database.all<DecisionRow>(
        'SELECT * FROM decisions WHERE sub = @sub AND subject_id = @subjectId ORDER BY id DESC LIMIT 100',
        { sub, subjectId },
      );
      return rows.map(toDecision);
    },
    async list(sub, { effect = null, limit }) {
      const rows = await database.all<DecisionRow>(
        `SELECT * FROM decisions WHERE sub = @sub AND effect = coalesce(@effect, effect)
         ORDER BY id DESC LIMIT @limit`,
        { sub, effect, limit },
      );
      return rows.map(toDecision);
    },
  };
}

/** Stores a decision. If a transaction acts on the decision, call this within that transaction. */
export function* storeDecision(
  note: NewPolicyDecision,
  now: number,
  { most, every } = DECISION_RETENTION,
): TransactionWork<void> {
  const [row] = yield* all<{ id: number }>(
    `INSERT INTO decisions
       (at, sub, client, account, action, stage, subject_id, effect, reasons, texts, measured, policy, facts)
     VALUES
       (@at, @sub, @client, @account, @action, @stage, @subjectId, @effect, @reasons, @texts, @measured, @policy, @facts)
     RETURNING id`,
    decisionValues(note, now),
  );
  if ((row?.id ?? 0) % every !== 0) return;
  const { sub, effect } = note;
  yield* run(
    `DELETE FROM decisions WHERE sub = @sub AND effect = @effect AND id <=
       (SELECT id FROM decisions WHERE sub = @sub AND effect = @effect ORDER BY id DESC LIMIT 1 OFFSET @most)`,
    { sub, effect, most },
  );
}

export function decisionValues(note: NewPolicyDecision, now: number) {
  const { sub, client, account, action, stage, subjectId, effect, policy } = note;
  const { reasons, texts, facts, limit, value } = note;
  return {
    at: now,
    sub,
    client,
    account,
    action,
    stage,
    subjectId,
    effect,
    policy,
    reasons: JSON.stringify(reasons),
    texts: JSON.stringify(texts),
    measured: JSON.stringify({ limit, value }),
    facts: JSON.stringify(facts),
  };
}

interface DecisionRow {
  readonly id: number;
  readonly at: number;
  readonly sub: string;
  readonly client: string;
  readonly account: string;
  readonly action: string;
  readonly stage: 'proposal' | 'order';
  readonly subject_id: string;
  readonly effect: 'allow' | 'deny';
  readonly reasons: string;
  readonly texts: string;
  readonly measured: string;
  readonly policy: string;
  readonly facts: string;
}

function toDecision(row: DecisionRow): StoredPolicyDecision {
  const { id, at, sub, client, account, action, stage, effect, policy } = row;
  return {
    id,
    at,
    sub,
    client,
    account,
    action,
    stage,
    effect,
    policy,
    subjectId: row.subject_id,
    reasons: JSON.parse(row.reasons) as PolicyReason[],
    texts: JSON.parse(row.texts) as string[],
    ...(JSON.parse(row.measured) as Pick<StoredPolicyDecision, 'limit' | 'value'>),
    facts: JSON.parse(row.facts) as unknown,
  };
}
