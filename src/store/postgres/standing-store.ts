import type { GrantedMandate } from '../mandate-store.ts';
import { firstDue, type StandingRow, standingOf, stepNote, stepValues } from '../rows/standing-row.ts';
import type { StandingStore } from '../standing-store.ts';
import { withHead } from './head.ts';
import type { TenantDatabase, Unit } from './tenant-database.ts';

export function postgresStandingStore(database: TenantDatabase): StandingStore {
  return {
    async watched() {
      const rows = await database.read((unit) =>
        unit.last.all<StandingRow>(
          `SELECT * FROM standing_orders WHERE state = 'watching' ORDER BY sub COLLATE "C", mandate COLLATE "C"`,
        ),
      );
      return rows.map(standingOf);
    },
    async find(sub, mandate) {
      const row = await database.read((unit) =>
        unit.last.one<StandingRow>('SELECT * FROM standing_orders WHERE sub = @sub AND mandate = @mandate', {
          ...{ sub, mandate },
        }),
      );
      return row && standingOf(row);
    },
    step: (seen, next, now) =>
      withHead(database, async (unit, head) => {
        const { sub, mandate } = seen;
        const changed = await unit.run(
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
export async function watchStanding(
  unit: Unit,
  { sub, id, client, terms }: GrantedMandate,
  now: number,
): Promise<void> {
  if (terms.standing === undefined) return;
  await unit.run(
    `INSERT INTO standing_orders (sub, mandate, client, due_at, state)
     VALUES (@sub, @id, @client, @dueAt, 'watching')`,
    { sub, id, client, dueAt: firstDue(terms, now) },
  );
}
