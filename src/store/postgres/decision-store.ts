import type { DecisionNote, DecisionStore } from '../decision-store.ts';
import { type DecisionRow, decisionOf, decisionValues, MOST_KEPT } from '../rows/decision-row.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

/** One of so many decisions takes along those that are too many: to find them is to walk over all that are kept. */
const CLEARED_EVERY = 100;

/**
 * Common table expressions that note a decision, by {@link notingValues}.
 * @param from of which rows' being there it depends
 */
export const noting = (from = '') => `
  noted AS (
    INSERT INTO decisions
      (at, sub, client, account, action, stage, subject_id, effect, reasons, texts, measured, policy, facts)
    SELECT @at, @decidedFor, @client, @decidedAbout, @action, @stage, @subjectId, @effect, @reasons, @texts, @measured,
      @policy, @facts ${from}
    RETURNING id
  ),
  cleared AS (
    DELETE FROM decisions
    WHERE EXISTS (SELECT FROM noted WHERE id % ${CLEARED_EVERY} = 0) AND sub = @decidedFor AND effect = @effect AND id <=
      (SELECT id FROM decisions WHERE sub = @decidedFor AND effect = @effect ORDER BY id DESC LIMIT 1 OFFSET @most)
  )`;

/** Under names that are a decision's alone: it may be noted with the order that it is about. */
export function notingValues(note: DecisionNote, now: number, most = MOST_KEPT) {
  const { sub: decidedFor, account: decidedAbout, ...values } = decisionValues(note, now);
  return { ...values, decidedFor, decidedAbout, most };
}

const NOTE = `WITH ${noting()} SELECT FROM noted`;

/** Notes a decision. Within the unit of work that goes by it, where there is one. */
export async function noteDecision(
  unit: Pick<Unit, 'all'>,
  note: DecisionNote,
  now: number,
  most?: number,
): Promise<void> {
  await unit.all(NOTE, notingValues(note, now, most));
}

/** @param most so many are kept of each person and effect */
export function postgresDecisionStore(database: TenantDatabase, most = MOST_KEPT): DecisionStore {
  return {
    note: (note, now) => database.write((unit) => noteDecision(unit.last, note, now, most)),
    async about(sub, subjectId) {
      const rows = await database.read((unit) =>
        unit.last.all<DecisionRow>(
          'SELECT * FROM decisions WHERE sub = @sub AND subject_id = @subjectId ORDER BY id DESC LIMIT 100',
          { sub, subjectId },
        ),
      );
      return rows.map(decisionOf);
    },
    async list(sub, { effect = null, limit }) {
      const rows = await database.read((unit) =>
        unit.last.all<DecisionRow>(
          `SELECT * FROM decisions WHERE sub = @sub AND (@effect::text IS NULL OR effect = @effect)
           ORDER BY id DESC LIMIT @limit`,
          { sub, effect, limit },
        ),
      );
      return rows.map(decisionOf);
    },
  };
}
