import type Database from 'better-sqlite3-multiple-ciphers';
import type { Halts, TradingStanding } from '../halts.ts';
import { type HaltRow, isAsStrict, type ReductionRow, reducingNote, standingOf } from '../rows/halt-row.ts';
import { auditNotes } from './audit-store.ts';

/** How far trading goes; to be called in the transaction that goes by it. @param now milliseconds since the epoch */
export function tradingStandings(database: Database.Database): (sub: string, now: number) => TradingStanding {
  const halted = database.prepare<[string], HaltRow>(
    'SELECT halted_at AS since, by_client AS by FROM halts WHERE sub = ?',
  );
  const reduced = database.prepare<
    [string, number],
    ReductionRow
  >(`SELECT reduced_at AS since, until, reduced_by AS by FROM reductions
     WHERE sub = ? AND (until IS NULL OR until > ?)`);
  return (sub, now) => {
    const halt = halted.get(sub);
    return standingOf(halt, halt === undefined ? reduced.get(sub, now) : undefined);
  };
}

/** @param database the gateway's, of its latest version */
export function sqliteHalts(database: Database.Database): Halts {
  const note = auditNotes(database);
  const standing = tradingStandings(database);
  const select = database.prepare<[string], { at: number }>(
    'SELECT halted_at AS at FROM halts WHERE sub = ?',
  );
  const insert = database.prepare('INSERT OR IGNORE INTO halts (sub, halted_at, by_client) VALUES (?, ?, ?)');
  const remove = database.prepare('DELETE FROM halts WHERE sub = ? AND halted_at = ?');
  const reduce = database.prepare(`
    INSERT INTO reductions (sub, reduced_at, until, reduced_by) VALUES (?, ?, ?, ?)
    ON CONFLICT (sub) DO UPDATE
      SET reduced_at = excluded.reduced_at, until = excluded.until, reduced_by = excluded.reduced_by`);
  const restore = database.prepare('DELETE FROM reductions WHERE sub = ? AND reduced_at = ?');
  const halt = database.transaction((sub: string, by: string, now: number) => {
    if (insert.run(sub, now, by).changes === 1) note({ event: 'halted', facts: { sub, client: by } }, now);
    return select.get(sub)?.at ?? now;
  });
  const reduceAtMost = database.transaction(
    (sub: string, by: string, until: number | undefined, now: number) => {
      const before = standing(sub, now);
      if (isAsStrict(before, until)) return before;
      reduce.run(sub, before.since ?? now, until ?? null, by);
      note(reducingNote(sub, by, until), now);
      return standing(sub, now);
    },
  );
  const lift = database.transaction((sub: string, since: number, now: number) => {
    const { state } = standing(sub, now);
    const statement = state === 'halted' ? remove : restore;
    const changed = statement.run(sub, since).changes === 1;
    if (changed) note({ event: 'lifted', facts: { sub } }, now);
    return changed;
  });
  return {
    haltedAt: async (sub) => select.get(sub)?.at,
    standing: async (sub, now) => standing(sub, now),
    halt: async (sub, by, now) => halt.immediate(sub, by, now),
    reduce: async (sub, by, until, now) => reduceAtMost.immediate(sub, by, until, now),
    lift: async (sub, since, now) => lift.immediate(sub, since, now),
  };
}
