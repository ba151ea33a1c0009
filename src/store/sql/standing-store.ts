import type { GrantedMandate } from '../mandate-store.ts';
import { firstDue, type StandingRow, standingOf, stepNote, stepValues } from '../rows/standing-row.ts';
import type { StandingStore } from '../standing-store.ts';
import { run, type SqlDatabase, type Work } from './sql-database.ts';

export function standingStore(database: SqlDatabase): StandingStore {
  const { bytes } = database.dialect;
  return {
    async watched() {
      const rows = await database.all<StandingRow>(
        `SELECT * FROM standing_orders WHERE state = 'watching' ORDER BY sub${bytes}, mandate${bytes}`,
      );
      return rows.map(standingOf);
    },
    async find(sub, mandate) {
      const row = await database.one<StandingRow>(
        'SELECT * FROM standing_orders WHERE sub = @sub AND mandate = @mandate',
        { sub, mandate },
      );
      return row && standingOf(row);
    },
    step: (seen, next, now) =>
      database.record(function* (head) {
        const { sub, mandate } = seen;
        const changed = yield* run(
          `UPDATE standing_orders SET due_at = @dueAt, state = @state, last = @last
           WHERE sub = @sub AND mandate = @mandate AND state = 'watching' AND due_at IS NOT DISTINCT FROM @seen`,
          { sub, mandate, seen: seen.dueAt, ...stepValues(next) },
        );
        if (changed === 1) head.note(stepNote(seen, next), now);
        return changed === 1;
      }),
  };
}

/** Writes the row of a mandate that has a standing order, in the unit of work that grants it. */
export function* watchStanding({ sub, id, client, terms }: GrantedMandate, now: number): Work<void> {
  if (terms.standing === undefined) return;
  yield* run(
    `INSERT INTO standing_orders (sub, mandate, client, due_at, state)
     VALUES (@sub, @id, @client, @dueAt, 'watching')`,
    { sub, id, client, dueAt: firstDue(terms, now) },
  );
}
