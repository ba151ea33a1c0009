import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { DecisionNote, StoredDecision } from '../decision-store.ts';

/** So many refusals, and so many orders, are kept of each person: years of them, and some tens of megabytes. */
export const MOST_KEPT = 10_000;

/** What an insert takes of a decision. */
export function decisionValues(note: DecisionNote, now: number) {
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

/** A row of `decisions`. */
export interface DecisionRow {
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

export function decisionOf(row: DecisionRow): StoredDecision {
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
    ...(JSON.parse(row.measured) as Pick<StoredDecision, 'limit' | 'value'>),
    facts: JSON.parse(row.facts) as unknown,
  };
}
