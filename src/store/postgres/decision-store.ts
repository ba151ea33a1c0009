import type { DecisionNote, DecisionStore } from '../decision-store.ts';
import { type DecisionRow, decisionOf, decisionValues, MOST_KEPT } from '../rows/decision-row.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** Notes a decision. Within the unit of work that goes by it, where there is one. */
export async function noteDecision(
  unit: Unit,
  note: DecisionNote,
  now: number,
  most = MOST_KEPT,
): Promise<void> {
  await unit.run(
    `INSERT INTO decisions
       (at, sub, client, account, action, stage, subject_id, effect, reasons, texts, measured, policy, facts)
     VALUES
       (@at, @sub, @client, @account, @action, @stage, @subjectId, @effect, @reasons, @texts, @measured, @policy, @facts)`,
    decisionValues(note, now),
  );
  const { sub, effect } = note;
  await unit.run(
    `DELETE FROM decisions WHERE sub = @sub AND effect = @effect AND id <=
       (SELECT id FROM decisions WHERE sub = @sub AND effect = @effect ORDER BY id DESC LIMIT 1 OFFSET @most)`,
    { sub, effect, most },
  );
}

/** @param most so many are kept of each person and effect */
export function postgresDecisionStore(database: TenantDatabase, most = MOST_KEPT): DecisionStore {
  return {
    note: (note, now) => database.write((unit) => noteDecision(unit, note, now, most)),
    async about(sub, subjectId) {
      const rows = await database.read((unit) =>
        unit.all<DecisionRow>(
          'SELECT * FROM decisions WHERE sub = @sub AND subject_id = @subjectId ORDER BY id DESC LIMIT 100',
          { sub, subjectId },
        ),
      );
      return rows.map(decisionOf);
    },
    async list(sub, { effect = null, limit }) {
      const rows = await database.read((unit) =>
        unit.all<DecisionRow>(
          `SELECT * FROM decisions WHERE sub = @sub AND (@effect::text IS NULL OR effect = @effect)
           ORDER BY id DESC LIMIT @limit`,
          { sub, effect, limit },
        ),
      );
      return rows.map(decisionOf);
    },
  };
}
