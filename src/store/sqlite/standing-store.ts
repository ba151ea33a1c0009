import type Database from 'better-sqlite3-multiple-ciphers';
import type { GrantedMandate } from '../mandate-store.ts';
import { firstDue, type StandingRow, standingOf, stepNote, stepValues } from '../rows/standing-row.ts';
import type { StandingOrder, StandingStep, StandingStore } from '../standing-store.ts';
import { auditNotes } from './audit-store.ts';

/** @param database the gateway's, of its latest version */
export function sqliteStandingStore(database: Database.Database): StandingStore {
  const note = auditNotes(database);
  const select = database.prepare<[string, string], StandingRow>(
    'SELECT * FROM standing_orders WHERE sub = ? AND mandate = ?',
  );
  const watched = database.prepare<[], StandingRow>(
    "SELECT * FROM standing_orders WHERE state = 'watching' ORDER BY sub, mandate",
  );
  const update = database.prepare(`
    UPDATE standing_orders SET due_at = @dueAt, state = @state, last = @last
    WHERE sub = @sub AND mandate = @mandate AND state = 'watching' AND due_at IS @seen`);
  const step = database.transaction((seen: StandingOrder, next: StandingStep, now: number) => {
    const { sub, mandate } = seen;
    const { changes } = update.run({ sub, mandate, seen: seen.dueAt, ...stepValues(next) });
    if (changes === 1) note(stepNote(seen, next), now);
    return changes === 1;
  });
  return {
    watched: async () => watched.all().map(standingOf),
    async find(sub, mandate) {
      const found = select.get(sub, mandate);
      return found === undefined ? undefined : standingOf(found);
    },
    step: async (seen, next, now) => step.immediate(seen, next, now),
  };
}

/** Writes the row of a mandate that has a standing order: to be called in the transaction that grants it. */
export function standingRows(database: Database.Database) {
  const insert = database.prepare(`
    INSERT INTO standing_orders (sub, mandate, client, due_at, state)
    VALUES (@sub, @id, @client, @dueAt, 'watching')`);
  return ({ sub, id, client, terms }: GrantedMandate, now: number): void => {
    if (terms.standing !== undefined) insert.run({ sub, id, client, dueAt: firstDue(terms, now) });
  };
}
