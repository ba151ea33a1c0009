import type Database from 'better-sqlite3-multiple-ciphers';
import type { PolicyReason } from '../../trading/policy-reasons.ts';
import type { DecisionNote, DecisionStore, StoredDecision } from '../decision-store.ts';

/** So many refusals, and so many orders, are kept of each person: years of them, and some tens of megabytes. */
const MOST_KEPT = 10_000;

/** Notes a decision. Within the transaction that goes by it, where there is one. */
export function decisionNotes(
  database: Database.Database,
  most = MOST_KEPT,
): (note: DecisionNote, now: number) => void {
  const insert = database.prepare(`
    INSERT INTO decisions
      (at, sub, client, account, action, stage, subject_id, effect, reasons, texts, measured, policy, facts)
    VALUES
      (@at, @sub, @client, @account, @action, @stage, @subjectId, @effect, @reasons, @texts, @measured, @policy, @facts)`);
  const prune = database.prepare(`
    DELETE FROM decisions WHERE sub = @sub AND effect = @effect AND id <=
      (SELECT id FROM decisions WHERE sub = @sub AND effect = @effect ORDER BY id DESC LIMIT 1 OFFSET @most)`);
  return (note, now) => {
    const { sub, client, account, action, stage, subjectId, effect, policy } = note;
    const { reasons, texts, facts, limit, value } = note;
    insert.run({
      at: now,
      ...{ sub, client, account, action, stage, subjectId, effect, policy },
      reasons: JSON.stringify(reasons),
      texts: JSON.stringify(texts),
      measured: JSON.stringify({ limit, value }),
      facts: JSON.stringify(facts),
    });
    prune.run({ sub, effect, most });
  };
}

/** @param database the gateway's, of its latest version. @param most so many are kept of each person and effect */
export function sqliteDecisionStore(database: Database.Database, most = MOST_KEPT): DecisionStore {
  const note = decisionNotes(database, most);
  const select = database.prepare<[{ sub: string; effect: string | null; limit: number }], Row>(`
    SELECT * FROM decisions WHERE sub = @sub AND (@effect IS NULL OR effect = @effect)
    ORDER BY id DESC LIMIT @limit`);
  const write = database.transaction(note);
  return {
    note: async (decision, now) => write.immediate(decision, now),
    list: async (sub, { effect, limit }) =>
      select.all({ sub, effect: effect ?? null, limit }).map(decisionOf),
  };
}

interface Row {
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

function decisionOf({ subject_id, reasons, texts, measured, facts, ...row }: Row): StoredDecision {
  return {
    ...row,
    subjectId: subject_id,
    reasons: JSON.parse(reasons) as PolicyReason[],
    texts: JSON.parse(texts) as string[],
    ...(JSON.parse(measured) as Pick<StoredDecision, 'limit' | 'value'>),
    facts: JSON.parse(facts) as unknown,
  };
}
