import type Database from 'better-sqlite3-multiple-ciphers';
import type { DecisionNote, DecisionStore } from '../decision-store.ts';

import { type DecisionRow, decisionOf, decisionValues, MOST_KEPT } from '../rows/decision-row.ts';

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
    insert.run(decisionValues(note, now));
    const { sub, effect } = note;
    prune.run({ sub, effect, most });
  };
}

/** @param database the gateway's, of its latest version. @param most so many are kept of each person and effect */
export function sqliteDecisionStore(database: Database.Database, most = MOST_KEPT): DecisionStore {
  const note = decisionNotes(database, most);
  const select = database.prepare<[{ sub: string; effect: string | null; limit: number }], DecisionRow>(`
    SELECT * FROM decisions WHERE sub = @sub AND (@effect IS NULL OR effect = @effect)
    ORDER BY id DESC LIMIT @limit`);
  const about = database.prepare<[string, string], DecisionRow>(
    'SELECT * FROM decisions WHERE sub = ? AND subject_id = ? ORDER BY id DESC LIMIT 100',
  );
  const write = database.transaction(note);
  return {
    note: async (decision, now) => write.immediate(decision, now),
    about: async (sub, subjectId) => about.all(sub, subjectId).map(decisionOf),
    list: async (sub, { effect, limit }) =>
      select.all({ sub, effect: effect ?? null, limit }).map(decisionOf),
  };
}
